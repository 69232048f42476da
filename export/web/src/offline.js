// The service worker: caches the page, the runtime and the models, and answers from its cache.

const CACHE = "keras-jpeg-gan-__VERSION__";
const FILES = __FILES__;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(["./", ...FILES])));
});

self.addEventListener("activate", (event) => {
  const forget = async () => {
    const names = await caches.keys();
    const old = names.filter((name) => name.startsWith("keras-jpeg-gan-") && name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
  };
  event.waitUntil(forget());
});

self.addEventListener("fetch", (event) => {
  const kept = caches.match(event.request, { ignoreVary: true });
  event.respondWith(kept.then((response) => response ?? fetch(event.request)));
});
