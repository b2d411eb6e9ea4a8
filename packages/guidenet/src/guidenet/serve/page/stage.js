// The large image: where one clicks, by mouse or by keyboard.

const RADIUS = 8;
const LARGE_STEP = 20;

export class Stage {
  // onMark(y, x, negative) is called with a pixel of the image.
  constructor(canvas, frame, onMark) {
    Object.assign(this, { canvas, frame, onMark, picture: null, cursor: null, view: { masks: true, clicks: true } });
    this.colours = [];
    canvas.addEventListener("click", (event) => this.mark(event, event.shiftKey));
    canvas.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      this.mark(event, true);
    });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.setCursor(null));
    new ResizeObserver(() => this.draw()).observe(frame);
  }

  show(picture) {
    if (picture !== this.picture) this.cursor = null;
    this.picture = picture;
    this.canvas.hidden = !picture;
    if (picture) this.canvas.setAttribute("aria-label", `${picture.name}, ${picture.width} by ${picture.height} pixels`);
    this.draw();
  }

  draw() {
    const { picture, frame, canvas } = this;
    if (!picture) return;
    const scale = Math.min(frame.clientWidth / picture.width, frame.clientHeight / picture.height);
    const [width, height] = [Math.floor(picture.width * scale), Math.floor(picture.height * scale)];
    if (width < 1 || height < 1) return;
    picture.draw(canvas, width, height, { ...this.view, radius: RADIUS }, this.colours);
    if (this.cursor) this.drawCursor();
  }

  drawCursor() {
    const context = this.canvas.getContext("2d");
    const x = ((this.cursor.x + 0.5) / this.picture.width) * this.canvas.width;
    const y = ((this.cursor.y + 0.5) / this.picture.height) * this.canvas.height;
    for (const [colour, width] of [["#10151b", 5], ["#fff", 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(x + 5 * dx, y + 5 * dy);
        context.lineTo(x + 22 * dx, y + 22 * dy);
      }
      context.stroke();
    }
  }

  mark(event, negative) {
    if (event.detail === 0 && event.type === "click") return; // not by the mouse
    const box = this.canvas.getBoundingClientRect();
    const clamp = (value, end) => Math.min(Math.max(Math.floor(value * end), 0), end - 1);
    const x = clamp((event.clientX - box.left) / box.width, this.picture.width);
    const y = clamp((event.clientY - box.top) / box.height, this.picture.height);
    this.setCursor(null);
    this.onMark(y, x, negative);
  }

  setCursor(cursor) {
    if (!cursor && !this.cursor) return;
    this.cursor = cursor;
    this.draw();
  }

  key(event) {
    const { picture } = this;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const centre = { x: picture.width >> 1, y: picture.height >> 1 };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (moves[event.key]) {
      const step = event.shiftKey ? LARGE_STEP : 2;
      const [dx, dy] = this.cursor ? moves[event.key] : [0, 0];
      const { x, y } = this.cursor || centre;
      this.setCursor({
        x: Math.min(Math.max(x + step * dx, 0), picture.width - 1),
        y: Math.min(Math.max(y + step * dy, 0), picture.height - 1),
      });
    } else if (event.key === "Enter" || event.key === " ") {
      if (this.cursor) this.onMark(this.cursor.y, this.cursor.x, event.shiftKey);
      else this.setCursor(centre);
    } else return;
    event.preventDefault();
  }
}
