// Reads a code with the camera, where the browser has a detector.

const LOOK_MS = 150;

export function canScan() {
  return "BarcodeDetector" in window && Boolean(navigator.mediaDevices && navigator.mediaDevices.getUserMedia);
}

/**
 * @param {HTMLVideoElement} video
 * @param {(text: string) => void} found once, with the first code that is seen
 * @returns {Promise<() => void>} stops it. Rejects when the camera cannot be opened.
 */
export async function scan(video, found) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  const detector = new window.BarcodeDetector({ formats: ["qr_code"] });
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  };
  // As a property: the attribute alone lets no picture start by itself.
  video.muted = true;
  video.srcObject = stream;
  await video.play();
  let looking = false;
  timer = setInterval(async () => {
    if (looking) return;
    looking = true;
    try {
      const [seen] = await detector.detect(video);
      if (seen && video.srcObject) {
        stop();
        found(seen.rawValue);
      }
    } catch (error) {
      // A frame that is not there yet.
      if (error.name !== "InvalidStateError") throw error;
    } finally {
      looking = false;
    }
  }, LOOK_MS);
  return stop;
}
