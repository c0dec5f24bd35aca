// The tone of the desk: sounds while an alarm of no provider taking a page stands on the screen.
// Browsers allow sound only after a person has asked for it once; until then the button says so.
"use strict";
(() => {
  const button = document.getElementById("sound");
  const alarms = document.getElementById("alarms");
  if (!button || !alarms) return;
  const KEY = "triage-sound", LOW = 660, HIGH = 880, HALF = 500;
  let context = null, tone = null, high = false;

  const wanted = () => localStorage.getItem(KEY) === "on";
  const isDue = () => alarms.querySelector("[data-siren]") !== null;
  const isAllowed = () => context !== null && context.state === "running";

  function start() {
    const gain = context.createGain();
    tone = context.createOscillator();
    tone.type = "square";
    gain.gain.value = 0.4;
    tone.connect(gain).connect(context.destination);
    tone.start();
  }

  function look() {
    if (isDue() && isAllowed() && !tone) start();
    if (!isDue() && tone) { tone.stop(); tone = null; }
    if (tone) tone.frequency.value = (high = !high) ? HIGH : LOW;
    const state = tone ? "sounding" : isAllowed() ? "ready" : "off";
    if (button.dataset.sound !== state) {
      button.dataset.sound = state;
      button.textContent = { sounding: "Alarm sounds", ready: "Sound on", off: "Turn the sound on" }[state];
    }
    button.classList.toggle("is-needed", state === "off");
  }

  async function allow() {
    localStorage.setItem(KEY, "on");
    context = context || new AudioContext();
    await context.resume();
    look();
  }

  button.hidden = false;
  button.addEventListener("click", allow);
  // Allowed before: the first touch of this page is enough.
  document.addEventListener("pointerdown", () => { if (wanted() && !isAllowed()) allow(); });
  if (wanted()) { context = new AudioContext(); }
  setInterval(look, HALF);
  look();
})();
