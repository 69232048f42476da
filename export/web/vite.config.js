// `npm run build` makes dist/: the page, LiteRT's WebAssembly and the models, for any static server.
// MODELS=FOLDER has the TFLite models and their cards; the default is what export/tflite.py writes.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { defineConfig } from "vite";

const MODELS = path.resolve(process.env.MODELS ?? path.join(import.meta.dirname, "../../build/tflite"));
const CARD = /^.+_\d+_float32\.tflite\.json$/; // the browser needs tiles of fixed size
const RUNTIMES = ["litert_wasm_internal", "litert_wasm_compat_internal", "litert_wasm_jspi_internal"];

/** LiteRT's WebAssembly, which it loads by name from beside the worker's script. */
function litert() {
  const folder = path.join(path.dirname(createRequire(import.meta.url).resolve("@litertjs/core")), "../wasm");
  return {
    name: "litert",
    generateBundle() {
      for (const file of RUNTIMES.flatMap((name) => [`${name}.js`, `${name}.wasm`])) {
        this.emitFile({
          type: "asset",
          fileName: `assets/${file}`,
          source: readFileSync(path.join(folder, file)),
        });
      }
    },
  };
}

/** The models in models/, and index.json: their cards, each with its file name. */
function models() {
  return {
    name: "models",
    generateBundle() {
      const cards = existsSync(MODELS) ? readdirSync(MODELS).filter((name) => CARD.test(name)) : [];
      if (!cards.length)
        this.error(`no models in ${MODELS}: run python export/tflite.py, or set MODELS=FOLDER`);
      const index = cards.sort().map((name) => {
        const file = name.replace(/\.json$/, "");
        this.emitFile({
          type: "asset",
          fileName: `models/${file}`,
          source: readFileSync(path.join(MODELS, file)),
        });
        return { ...JSON.parse(readFileSync(path.join(MODELS, name), "utf8")), file };
      });
      this.emitFile({ type: "asset", fileName: "models/index.json", source: JSON.stringify(index) });
    },
  };
}

/** The service worker with the list of all files, so that the page works offline after one visit. */
function offline() {
  return {
    name: "offline",
    enforce: "post",
    generateBundle(_, bundle) {
      const files = Object.keys(bundle).sort();
      const version = createHash("sha256");
      for (const file of files) version.update(bundle[file].source ?? bundle[file].code);
      const template = readFileSync(path.join(import.meta.dirname, "src/offline.js"), "utf8");
      const source = template
        .replace("__VERSION__", version.digest("hex").slice(0, 16))
        .replace("__FILES__", JSON.stringify(files));
      this.emitFile({ type: "asset", fileName: "offline.js", source });
    },
  };
}

// Makes the browser itself keep data on this machine; a worker obeys only the header of its own file.
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'";

function policy() {
  const attrs = { "http-equiv": "Content-Security-Policy", content: POLICY };
  return { name: "policy", transformIndexHtml: () => [{ tag: "meta", attrs, injectTo: "head-prepend" }] };
}

export default defineConfig({
  base: "./", // under any path of a server
  preview: { headers: { "Content-Security-Policy": POLICY } },
  build: { target: "es2022", assetsInlineLimit: 0 },
  plugins: [policy(), litert(), models(), offline()],
});
