// What the till must not forget, in IndexedDB: all changes of one write or none of them.

const NAME = "hv.pos";
const STORE = "kept";

function finished(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @returns {Promise<import("./logic/terminal.js").Shelf>} Rejects where the browser keeps nothing. */
export async function openShelf() {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await finished(opening);
  if (navigator.storage && navigator.storage.persist) navigator.storage.persist();
  const reading = () => database.transaction(STORE).objectStore(STORE);
  return {
    async read(key) {
      const found = await finished(reading().get(key));
      return found === undefined ? null : found;
    },
    all(prefix) {
      return finished(reading().getAll(IDBKeyRange.bound(prefix, `${prefix}\uffff`)));
    },
    write(changes) {
      return new Promise((resolve, reject) => {
        const writing = database.transaction(STORE, "readwrite", { durability: "strict" });
        writing.oncomplete = () => resolve();
        writing.onabort = () => reject(writing.error);
        const kept = writing.objectStore(STORE);
        try {
          Object.keys(changes).forEach((key) => {
            if (changes[key] === null) kept.delete(key);
            else kept.put(changes[key], key);
          });
        } catch (error) {
          // What cannot be kept (DataCloneError) takes the others back with it.
          writing.onabort = null;
          writing.abort();
          reject(error);
        }
      });
    },
  };
}
