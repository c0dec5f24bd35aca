// Shows pages that come by push. Answering is done on the page behind the link, never here.
"use strict";
// What cannot be read may be anything: it is shown as loudly as a page.
const UNREAD = { title: "A page is waiting", body: "Open the inbox to read it.", url: "/inbox", tag: "unread" };
const isPage = (page) => [page.title, page.url, page.tag].every((text) => text && typeof text === "string");
const read = (data) => {
  try {
    const page = data.json();
    return isPage(page) ? page : UNREAD;
  } catch {
    return UNREAD;
  }
};
self.addEventListener("push", (event) => {
  const page = read(event.data);
  const isRecalled = page.is_recalled === true;
  event.waitUntil(
    self.registration.showNotification(page.title, {
      body: page.body,
      tag: page.tag,
      renotify: !isRecalled,
      requireInteraction: !isRecalled,
      silent: isRecalled,
      icon: "/static/icon.svg",
      data: { url: page.url },
    }),
  );
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(event.notification.data.url));
});
