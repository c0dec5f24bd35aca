// Keeps [data-live] as the server has it: asks every 2 s, changes only what differs, and says when
// it cannot. Without it the page still works: links, forms, and a reload every minute.
"use strict";
(() => {
  const EVERY = 2000, DEAD_AFTER = 12000;
  const region = document.querySelector("[data-live]");
  const light = document.getElementById("live");
  const announcer = document.getElementById("announce");
  if (!region || !light) return;

  let tag = "", lastAnswer = Date.now(), asking = false;
  const emergent = (root) => new Set([...root.querySelectorAll("[data-emergent]")].map((e) => e.dataset.emergent));
  let known = emergent(region);

  const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

  function show(isLive) {
    const words = isLive ? "Live" : `NOT LIVE since ${clock(lastAnswer)}. Telephone ${light.dataset.desk || "the desk"}`;
    if (light.textContent !== words) light.textContent = words;
    light.classList.toggle("is-dead", !isLive);
    document.body.classList.toggle("is-stale", !isLive);
  }

  function sameKind(a, b) {
    return a.nodeType === b.nodeType && a.nodeName === b.nodeName &&
      (a.nodeType !== 1 || (a.dataset.key || "") === (b.dataset.key || ""));
  }

  function copyAttributes(from, to) {
    for (const { name } of [...to.attributes]) {
      if (!from.hasAttribute(name) && name !== "open") to.removeAttribute(name);
    }
    for (const { name, value } of [...from.attributes]) {
      if (name !== "open" && to.getAttribute(name) !== value) to.setAttribute(name, value);
    }
  }

  // What somebody is typing into, has opened or has focused stays the same element.
  function morph(to, from) {
    if (to.isEqualNode(from)) return;
    if (to.nodeType !== 1) { to.nodeValue = from.nodeValue; return; }
    copyAttributes(from, to);
    const byKey = new Map([...to.children].filter((e) => e.dataset.key).map((e) => [e.dataset.key, e]));
    let at = to.firstChild;
    for (const next of [...from.childNodes]) {
      const key = next.nodeType === 1 ? next.dataset.key : "";
      const kept = key && byKey.get(key);
      if (kept && kept !== at) to.insertBefore(kept, at);
      const mine = kept || at;
      if (mine && sameKind(mine, next)) {
        morph(mine, next);
        at = mine.nextSibling;
      } else {
        to.insertBefore(document.importNode(next, true), at);
      }
    }
    while (at) { const gone = at; at = at.nextSibling; gone.remove(); }
  }

  function announce(root) {
    const now = emergent(root);
    const fresh = [...now].filter((id) => !known.has(id));
    known = now;
    if (fresh.length) announcer.textContent = `New EMERGENT without an owner: ${fresh.join(", ")}`;
    const mark = now.size ? `(${now.size}) ` : "";
    document.title = mark + document.title.replace(/^\(\d+\) /, "");
  }

  async function ask() {
    if (asking) return;
    asking = true;
    try {
      const headers = { "X-Poll": "1" };
      if (tag) headers["If-None-Match"] = tag;
      const answer = await fetch(location.href, { headers, cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(8000) });
      if (answer.type === "opaqueredirect") { location.reload(); return; }
      if (answer.status === 200) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.querySelector("[data-live]");
        const loud = page.getElementById("alarms"), alarms = document.getElementById("alarms");
        if (loud && alarms) morph(alarms, loud);
        if (fresh) { morph(region, fresh); announce(region); }
        tag = answer.headers.get("ETag") || "";
      }
      if (answer.status === 200 || answer.status === 304) lastAnswer = Date.now();
    } catch (error) {
      console.warn("live: no answer", error.name);
    } finally {
      asking = false;
      show(Date.now() - lastAnswer < DEAD_AFTER);
    }
  }

  announce(region);
  show(true);
  setInterval(() => { if (!document.hidden) ask(); }, EVERY);
  setInterval(() => show(Date.now() - lastAnswer < DEAD_AFTER || document.hidden), 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
})();
