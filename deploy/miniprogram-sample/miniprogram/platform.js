// What the journey needs of its surroundings, out of a mini-program's own calls. The page has the same in
// app.js out of fetch and localStorage; everything else is shared.

const SEND_MS = 10000;
// A photo is large, and a phone's line out is slow.
const UPLOAD_MS = 60000;
const POOL_BYTES = 4096;
// A draw takes 36 bytes, a sign-in 24: below this the pool is filled again.
const LOW_BYTES = 1024;

/**
 * @typedef {Pick<typeof wx, "request" | "uploadFile" | "getStorageSync" | "setStorageSync" | "removeStorageSync" | "login"
 *   | "getRandomValues">} Tools What is used of `wx`; a test gives its own.
 */

/**
 * @param {Tools} tools
 * @param {string} origin
 * @returns {import("./logic/client.js").Send}
 */
export function sender(tools, origin) {
  return (sent) => new Promise((resolve, reject) => {
    tools.request({
      url: origin + sent.path,
      method: /** @type {"GET" | "POST" | "PUT" | "DELETE"} */ (sent.method),
      header: sent.headers,
      data: sent.body,
      // As text: the logic reads JSON and pictures itself.
      dataType: "text",
      responseType: "text",
      timeout: SEND_MS,
      success: (answer) => resolve({
        status: answer.statusCode,
        text: typeof answer.data === "string" ? answer.data : JSON.stringify(answer.data),
        header: (name) => headerOf(answer.header, name),
      }),
      fail: () => reject(new Error("no answer")),
    });
  });
}

/**
 * The case of names differs between phones.
 * @param {Record<string, unknown> | undefined} headers
 * @param {string} name
 * @returns {string | null}
 */
function headerOf(headers, name) {
  const found = Object.keys(headers || {}).find((key) => key.toLowerCase() === name.toLowerCase());
  return found === undefined ? null : String(/** @type {Record<string, unknown>} */ (headers)[found]);
}

/**
 * @param {Tools} tools
 * @returns {import("./logic/acts.js").Shelf}
 */
export function shelf(tools) {
  return {
    read(key) {
      const value = tools.getStorageSync(key);
      return typeof value === "string" && value !== "" ? value : null;
    },
    write(key, value) {
      if (value === null) tools.removeStorageSync(key);
      else tools.setStorageSync(key, value);
    },
  };
}

/**
 * Sends a photo as a form does. Rejects when no answer came.
 * @param {Tools} tools
 * @param {string} address
 * @param {Record<string, string>} headers
 * @param {string} file of the phone
 * @returns {Promise<import("./logic/client.js").Answer>}
 */
export function uploaded(tools, address, headers, file) {
  return new Promise((resolve, reject) => {
    tools.uploadFile({
      url: address, filePath: file, name: "file", header: headers, timeout: UPLOAD_MS,
      success: (answer) => resolve({ status: answer.statusCode, text: answer.data, header: () => null }),
      fail: () => reject(new Error("no answer")),
    });
  });
}

/** Random bytes come later here, and are wanted at once: some are kept in stock. */
export class Randomness {
  /** @param {Tools} tools */
  constructor(tools) {
    this.tools = tools;
    this.pool = new Uint8Array(0);
    /** @type {Promise<void> | null} */
    this.filling = null;
  }

  /** @returns {Promise<void>} when there is something in stock */
  fill() {
    if (!this.filling) {
      this.filling = new Promise((resolve, reject) => {
        this.tools.getRandomValues({
          length: POOL_BYTES,
          success: (told) => {
            this.pool = new Uint8Array(told.randomValues);
            resolve();
          },
          fail: () => reject(new Error("no random bytes")),
        });
      });
      const done = () => {
        this.filling = null;
      };
      this.filling.then(done, done);
    }
    return this.filling;
  }

  /**
   * @param {number} bytes
   * @returns {Uint8Array} never handed out again
   */
  take(bytes) {
    if (this.pool.length < bytes) throw new Error("random bytes are used up");
    const taken = this.pool.slice(0, bytes);
    this.pool = this.pool.slice(bytes);
    if (this.pool.length < LOW_BYTES) this.fill().catch(() => undefined);
    return taken;
  }
}

/**
 * @param {Tools} tools
 * @returns {Promise<string>} a code that the platform changes for the person; good once, for five minutes
 */
export function loginCode(tools) {
  return new Promise((resolve, reject) => {
    tools.login({ success: (told) => resolve(told.code), fail: () => reject(new Error("no sign-in")) });
  });
}

/**
 * A picture as the address of an <image>.
 * @param {string} svg
 */
export function pictureAddress(svg) {
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
