// Reads a code with the camera: by the browser's own detector, else by the one that comes along (phones of Apple
// and desktop browsers have none).

const LOOK_MS = 150;
const VENDORED = "../vendor/qr-0.7.0/decode.js";
const QR = { formats: ["qr_code"] };
const TROUBLES = { NotAllowedError: "cameraDenied", SecurityError: "cameraDenied", NotReadableError: "cameraBusy", AbortError: "cameraBusy" };

export function canScan() {
  return Boolean(navigator.mediaDevices && navigator.mediaDevices.getUserMedia);
}

/** What to say of a camera that did not open. @param {any} error */
export function trouble(error) {
  return TROUBLES[error.name] || "cameraMissing";
}

async function detector() {
  const own = /** @type {any} */ (window).BarcodeDetector;
  if (own && (!own.getSupportedFormats || (await own.getSupportedFormats()).includes("qr_code"))) return new own(QR);
  const { BarcodeDetector } = await import(VENDORED);
  return new BarcodeDetector(QR);
}

/**
 * @param {HTMLVideoElement} video
 * @param {(text: string) => void} found once, with the first code that is seen
 * @returns {Promise<() => void>} stops it. Rejects when the camera cannot be opened.
 */
export async function scan(video, found) {
  const wanted = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } };
  const stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  };
  try {
    const eyes = await detector();
    // As a property: the attribute alone lets no picture start by itself.
    video.muted = true;
    video.srcObject = stream;
    await video.play();
    let looking = false;
    timer = setInterval(async () => {
      if (looking) return;
      looking = true;
      try {
        const [seen] = await eyes.detect(video);
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
  } catch (error) {
    stop();
    throw error;
  }
  return stop;
}
