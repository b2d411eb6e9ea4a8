// Which part of an image is seen, and how large: positions in CSS pixels of the frame, and in pixels of the image.

const MOST = 64; // CSS pixels for a pixel of the image
const MARGIN = 32; // around what is brought into the frame, CSS pixels

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export class View {
  constructor(width, height) {
    Object.assign(this, { width, height, scale: 1, left: 0, top: 0, whole: true, frame: { width: 1, height: 1 } });
  }

  get fitting() {
    return Math.min(this.frame.width / this.width, this.frame.height / this.height);
  }

  // The frame has this size now.
  resize(width, height) {
    if (width === this.frame.width && height === this.frame.height) return;
    const { frame } = this;
    this.left += (width - frame.width) / 2;
    this.top += (height - frame.height) / 2;
    this.frame = { width, height };
    if (this.whole) this.fit();
    else this.keep();
  }

  fit() {
    Object.assign(this, { whole: true, scale: this.fitting });
    this.keep();
  }

  // Enlarges around a point of the frame, which stays where it is.
  zoom(factor, x, y) {
    const least = this.fitting;
    const scale = clamp(this.scale * factor, least, Math.max(MOST, least));
    const change = scale / this.scale;
    this.left = x - (x - this.left) * change;
    this.top = y - (y - this.top) * change;
    Object.assign(this, { scale, whole: scale === least });
    this.keep();
  }

  pan(dx, dy) {
    this.left += dx;
    this.top += dy;
    this.keep();
  }

  // Brings a point of the image into the frame.
  reveal(x, y) {
    const { frame, scale } = this;
    const edge = Math.min(MARGIN, frame.width / 4, frame.height / 4);
    const [column, row] = [this.left + x * scale, this.top + y * scale];
    this.pan(clamp(column, edge, frame.width - edge) - column, clamp(row, edge, frame.height - edge) - row);
  }

  // The middle of the frame stays in the image; of the whole image, it is the middle of that, too.
  keep() {
    const place = (start, size, frame) =>
      this.whole ? (frame - size) / 2 : clamp(start, frame / 2 - size, frame / 2);
    this.left = place(this.left, this.width * this.scale, this.frame.width);
    this.top = place(this.top, this.height * this.scale, this.frame.height);
  }

  // Where a point of the frame lies in the image, in pixels that need not be whole, or lie in it.
  toImage(x, y) {
    return { x: (x - this.left) / this.scale, y: (y - this.top) / this.scale };
  }

  toFrame(x, y) {
    return { x: this.left + x * this.scale, y: this.top + y * this.scale };
  }
}
