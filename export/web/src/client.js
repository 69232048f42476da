// The page's side of the worker: requests as promises.

export class Client {
  #worker = new Worker(new URL("./worker.js", import.meta.url));
  #pending = new Map();
  #last = 0;

  constructor() {
    this.#worker.addEventListener("message", ({ data }) => this.#hear(data));
    this.#worker.addEventListener("error", (event) => {
      for (const { reject } of this.#pending.values())
        reject(new Error(event.message || "the worker failed"));
      this.#pending.clear();
    });
  }

  /**
   * Ask for one of the worker's methods.
   *
   * @param {string} method
   * @param {object} parameters
   * @param {(progress: {share: number, what: string?}) => void} onProgress
   */
  request(method, parameters = {}, onProgress = () => {}) {
    this.#last += 1;
    const id = this.#last;
    this.#worker.postMessage({ id, method, parameters });
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject, onProgress }));
  }

  /** Stop the running request; its promise is rejected with an error whose `cancelled` is true. */
  cancel() {
    this.#worker.postMessage({ cancel: true });
  }

  #hear({ id, progress, result, error }) {
    const { resolve, reject, onProgress } = this.#pending.get(id);
    if (progress) {
      onProgress(progress);
      return;
    }
    this.#pending.delete(id);
    if (error) reject(Object.assign(new Error(error.message), { cancelled: error.cancelled }));
    else resolve(result);
  }
}
