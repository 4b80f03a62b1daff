// An outcome is heard as well as seen: rising for yes, low for no, three alike for nobody knows.

const TONES = {
  good: [[880, 0, 0.12], [1320, 0.14, 0.2]],
  bad: [[220, 0, 0.45]],
  unknown: [[620, 0, 0.12], [620, 0.2, 0.12], [620, 0.4, 0.12]],
};
const LOUD = 0.25;

let context = null;

/** @param {"good" | "bad" | "unknown"} kind */
export function play(kind) {
  const Context = window.AudioContext || /** @type {any} */ (window).webkitAudioContext;
  // Before anybody touched the page, browsers allow no sound.
  if (!Context || (navigator.userActivation && !navigator.userActivation.hasBeenActive)) return;
  if (context === null) context = new Context();
  TONES[kind].forEach(([hertz, from, long]) => {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = hertz;
    tone.type = kind === "bad" ? "square" : "sine";
    volume.gain.value = LOUD;
    tone.connect(volume).connect(context.destination);
    tone.start(context.currentTime + from);
    tone.stop(context.currentTime + from + long);
  });
}
