for (const pair of document.querySelectorAll(".pair")) {
  let share = 0.5;
  const move = to => {
    share = Math.min(1, Math.max(0, to));
    pair.style.setProperty("--at", `${100 * share}%`);
    pair.setAttribute("aria-valuenow", Math.round(100 * share));
  };
  const follow = event => {
    const box = pair.getBoundingClientRect();
    move((event.clientX - box.left) / box.width);
  };
  pair.addEventListener("pointerdown", event => {
    if (event.button === 2) { pair.classList.add("original"); return; }
    pair.setPointerCapture(event.pointerId);
    follow(event);
  });
  pair.addEventListener("pointermove", event => { if (event.buttons === 1) follow(event); });
  for (const end of ["pointerup", "pointerleave", "pointercancel"])
    pair.addEventListener(end, () => pair.classList.remove("original"));
  pair.addEventListener("contextmenu", event => {
    if (pair.querySelector(".truth")) event.preventDefault();
  });
  pair.addEventListener("keydown", event => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
    if (!step) return;
    event.preventDefault();
    move(share + step);
  });
}

// A pair in a frame can be enlarged, and what is right of its line chosen.
for (const view of document.querySelectorAll(".view")) {
  const frame = view.querySelector(".frame"), pair = view.querySelector(".pair");
  const natural = Number(getComputedStyle(pair).getPropertyValue("--width"));
  const enlarge = (width, x, y) => {  // what is at the point (x, y) stays there
    const before = pair.getBoundingClientRect();
    pair.style.width = width ? `${width}px` : "";
    const after = pair.getBoundingClientRect(), factor = after.width / before.width;
    frame.scrollLeft += after.left + (x - before.left) * factor - x;
    frame.scrollTop += after.top + (y - before.top) * factor - y;
    pair.classList.toggle("enlarged", after.width > natural);
  };
  for (const button of view.querySelectorAll("[data-zoom]"))
    button.addEventListener("click", () => {
      const box = frame.getBoundingClientRect();
      const width = Number(button.dataset.zoom) * natural;
      enlarge(width, box.left + box.width / 2, box.top + box.height / 2);
    });
  frame.addEventListener("wheel", event => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const width = pair.getBoundingClientRect().width * Math.exp(-event.deltaY / 200);
    enlarge(Math.min(32 * natural, Math.max(64, width)), event.clientX, event.clientY);
  }, { passive: false });
  view.querySelector("select")?.addEventListener("change", event => {
    for (const image of pair.querySelectorAll(".after"))
      image.hidden = image.dataset.product !== event.target.value;
  });
}
