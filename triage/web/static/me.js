// Signs this browser up for push messages, or off again.
"use strict";
(() => {
  const form = document.getElementById("push");
  const said = document.getElementById("push-said");
  if (!form) return;
  const bytes = (text) => {
    const plain = text.replace(/-/g, "+").replace(/_/g, "/");
    return Uint8Array.from(atob(plain), (letter) => letter.charCodeAt(0));
  };
  const send = async (path, fields) => {
    const token = form.elements.form_token.value;
    const body = new URLSearchParams({ form_token: token, ...fields });
    const answer = await fetch(path, { method: "POST", body });
    if (!answer.ok) throw new Error(`the service answered ${answer.status}`);
  };
  const on = async () => {
    const worker = await navigator.serviceWorker.register("/sw.js");
    const key = bytes(form.dataset.key);
    const found = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    const { endpoint, keys } = found.toJSON();
    await send("/me/push", { endpoint, p256dh: keys.p256dh, auth: keys.auth });
    return "This browser takes your pages from now on.";
  };
  const off = async () => {
    const worker = await navigator.serviceWorker.getRegistration("/sw.js");
    const found = worker && (await worker.pushManager.getSubscription());
    if (!found) return "This browser took no pages.";
    await send("/me/push/end", { endpoint: found.endpoint });
    await found.unsubscribe();
    return "This browser takes no pages any more.";
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      if (!("serviceWorker" in navigator) || !("PushManager" in window)) {
        throw new Error("this browser knows no push messages");
      }
      said.textContent = await (event.submitter.value === "on" ? on() : off());
    } catch (error) {
      said.textContent = `It did not work: ${error.message}.`;
    }
  });
})();
