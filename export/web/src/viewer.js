// Before and after on top of each other, with a slider between them.

// What each EXIF orientation does to the coded image: a matrix on the unit square.
const TURNS = [
  [1, 0, 0, 1],
  [-1, 0, 0, 1],
  [-1, 0, 0, -1],
  [1, 0, 0, -1],
  [0, 1, 1, 0],
  [0, 1, -1, 0],
  [0, -1, -1, 0],
  [0, -1, 1, 0],
];

/** Show pixels on a canvas, oriented as EXIF says (1 to 8). */
export function draw(canvas, pixels, orientation) {
  const [a, b, c, d] = TURNS[orientation - 1];
  const { width, height } = pixels;
  [canvas.width, canvas.height] = a ? [width, height] : [height, width];
  const coded = new OffscreenCanvas(width, height);
  coded.getContext("2d").putImageData(pixels, 0, 0);
  const context = canvas.getContext("2d");
  context.setTransform(a, b, c, d, a + c < 0 ? canvas.width : 0, b + d < 0 ? canvas.height : 0);
  context.drawImage(coded, 0, 0);
}

export class Viewer {
  #view;
  #stage;
  #zoom;

  constructor(view, stage, slider, zoom) {
    this.#view = view;
    this.#stage = stage;
    this.#zoom = zoom;
    slider.addEventListener("input", () => stage.style.setProperty("--split", slider.value));
    zoom.addEventListener("change", () => this.fit());
    addEventListener("resize", () => this.fit());
  }

  /** Give the canvases the chosen size, in CSS pixels. */
  fit() {
    const canvases = [...this.#stage.querySelectorAll("canvas")];
    const { width, height } = canvases[0];
    const chosen = Number(this.#zoom.value);
    const room = Math.min(this.#view.clientWidth / width, (this.#view.clientHeight || innerHeight) / height);
    const scale = chosen || Math.min(room, 3);
    for (const canvas of canvases) {
      canvas.style.width = `${Math.floor(width * scale)}px`;
      canvas.style.height = `${Math.floor(height * scale)}px`;
    }
    this.#stage.classList.toggle("sharp", chosen > 1);
  }
}
