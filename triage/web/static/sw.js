// Shows pages that come by push. Answering is done on the page behind the link, never here.
"use strict";
self.addEventListener("push", (event) => {
  const page = event.data.json();
  event.waitUntil(
    self.registration.showNotification(page.title, {
      body: page.body,
      tag: page.tag,
      renotify: !page.is_recalled,
      requireInteraction: !page.is_recalled,
      silent: page.is_recalled,
      icon: "/static/icon.svg",
      data: { url: page.url },
    }),
  );
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(event.notification.data.url));
});
