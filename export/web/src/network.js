// TFLite models in LiteRT.js: on WebGPU where available, otherwise on WebAssembly.

import { getWebGpuDevice, loadAndCompile, loadLiteRt, supportsFeature, Tensor } from "@litertjs/core";

let runtime;

/** A compiled TFLite model: a network for tiles of a fixed size. */
export class Network {
  #model;

  /**
   * Load a TFLite model.
   *
   * @param {{file: string, tile: number, noise_strides: number[]}} the card of the model.
   * @param {string} base URL of the page, ending in a slash.
   */
  static async load(card, base) {
    runtime ??= loadRuntime(base);
    const mixes = await runtime;
    const url = `${base}models/${card.file}`;
    if (getWebGpuDevice()) {
      try {
        // Half precision would differ by more than the promised two grey levels.
        const options = { accelerator: "webgpu", gpuOptions: { precision: "fp32" } };
        const model = await loadAndCompile(url, options);
        if (mixes || model.isFullyAccelerated) return new Network(card, model, "WebGPU");
        model.delete();
      } catch (error) {
        console.warn("WebGPU cannot run the network:", error);
      }
    }
    return new Network(card, await loadAndCompile(url, { accelerator: "wasm" }), "WebAssembly");
  }

  constructor(card, model, accelerator) {
    this.card = card;
    this.accelerator = accelerator;
    this.#model = model;
  }

  /**
   * Restore one window.
   *
   * @param {Float32Array} pixels [tile, tile, 3], 0..255.
   * @param {Float32Array} tables [2, 8, 8] in steps.
   * @param {Float32Array[]} noise [tile / stride, tile / stride] for each stride of the card.
   * @returns {Promise<Float32Array>} [tile, tile, 3], not clipped.
   */
  async run(pixels, tables, noise) {
    const { tile, noise_strides: strides } = this.card;
    const inputs = {
      pixels: new Tensor(pixels, [1, tile, tile, 3]),
      tables: new Tensor(tables, [1, 2, 8, 8]),
    };
    strides.forEach((stride, f) => {
      inputs[`noise_${f}`] = new Tensor(noise[f], [1, tile / stride, tile / stride, 1]);
    });
    const { restored } = await this.#model.run("restore", inputs);
    const result = (await restored.data()).slice();
    [...Object.values(inputs), restored].forEach((tensor) => tensor.delete());
    return result;
  }

  /** Free the memory of the model. */
  delete() {
    this.#model.delete();
  }
}

/** Load LiteRT; true if it can split a network between the CPU and the GPU. */
async function loadRuntime(base) {
  const adapter = await navigator.gpu?.requestAdapter();
  const mixes = Boolean(adapter) && (await supportsFeature("jspi"));
  await loadLiteRt(`${base}assets/`, { jspi: mixes });
  return mixes;
}
