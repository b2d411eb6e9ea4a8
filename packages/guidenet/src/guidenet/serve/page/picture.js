// One image with its mask and marks, drawn at any size.

import { drawMark } from "./marks.js";

const EDGE_DARK = pack("#10151b", 0xe0);

// Run lengths, as masks.py writes them, as [label, start, end] for each run.
export function* decodeRuns(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const view = new DataView(bytes.buffer);
  let end = 0;
  for (let i = 0; i < bytes.length; i += 4) {
    const run = view.getUint32(i, true);
    const start = end;
    end += run >>> 8;
    yield [run & 0xff, start, end];
  }
}

// A colour #rrggbb and an opacity as the four bytes of a pixel.
function pack(colour, opacity) {
  const [red, green, blue] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  return new Uint32Array(Uint8Array.of(red, green, blue, opacity).buffer)[0];
}

export class Picture {
  constructor(image, source, onLoad) {
    Object.assign(this, { id: image.id, name: image.name, width: image.width, height: image.height });
    this.fileSize = `${image.file_width} × ${image.file_height}`;
    this.labels = new Uint8Array(this.width * this.height);
    this.counts = [];
    this.runs = "";
    this.marks = [];
    this.fill = this.layer(); // the mask, opaque
    this.edges = this.layer();
    this.edged = false; // whether that is drawn
    this.paths = null;
    this.scaled = new WeakMap();
    this.loaded = false; // not what the browser says: it may know of the pixels before this is called
    this.element = new Image();
    this.element.onload = () => {
      this.loaded = true;
      this.scaled = new WeakMap();
      onLoad();
    };
    this.element.src = source;
  }

  layer() {
    return Object.assign(document.createElement("canvas"), { width: this.width, height: this.height });
  }

  // Takes the mask over, and paints it if it is another one; colours are #rrggbb by class.
  update(runs, colours, marks) {
    this.marks = marks;
    const key = `${colours.join()} ${runs}`;
    if (key === this.runs) return;
    this.runs = key;
    this.counts = [];
    this.paths = null;
    this.edged = false;
    this.inks = [0, ...colours.map((colour) => pack(colour, 0xff))];
    const context = this.fill.getContext("2d", { willReadFrequently: true }); // in memory: it is written pixel by pixel
    const data = context.createImageData(this.width, this.height);
    const pixels = new Uint32Array(data.data.buffer);
    for (const [label, start, end] of decodeRuns(runs)) {
      this.labels.fill(label, start, end);
      if (label) pixels.fill(this.inks[label], start, end);
      this.counts[label] = (this.counts[label] || 0) + end - start;
    }
    context.putImageData(data, 0, 0);
  }

  // The edge of the mask for small pictures: a pixel inside in the class's colour, a dark one outside.
  drawnEdges() {
    if (this.edged) return this.edges;
    this.edged = true;
    const { labels, width, inks } = this;
    const context = this.edges.getContext("2d", { willReadFrequently: true });
    const data = context.createImageData(width, this.height);
    const pixels = new Uint32Array(data.data.buffer);
    const border = (one, other) => {
      if (labels[one] === labels[other]) return;
      pixels[one] = inks[labels[one]] || EDGE_DARK;
      pixels[other] = inks[labels[other]] || EDGE_DARK;
    };
    for (let i = 1; i < labels.length; i++) {
      if (i % width) border(i - 1, i);
      if (i >= width) border(i - width, i);
    }
    context.putImageData(data, 0, 0);
    return this.edges;
  }

  // The edge of each label's mask as lines between pixels, by label; made when they are looked at.
  outlines() {
    if (this.paths) return this.paths;
    const { labels, width, height } = this;
    this.paths = new Map();
    const path = (label) => {
      if (!this.paths.has(label)) this.paths.set(label, new Path2D());
      return this.paths.get(label);
    };
    // The labels on both sides of a line in one number, above and below it, or left and right of it.
    const pair = (first, second, inside, outside) => ((inside ? labels[first] : 0) << 8) | (outside ? labels[second] : 0);
    const rows = (y, x) => pair((y - 1) * width + x, y * width + x, y > 0, y < height);
    const columns = (x, y) => pair(y * width + x - 1, y * width + x, x > 0, x < width);
    // A line goes on while the labels on both sides stay the same.
    const walk = (across, along, sides, draw) => {
      for (let i = 0; i <= across; i++) {
        for (let start = 0, end; start < along; start = end) {
          const both = sides(i, start);
          for (end = start + 1; end < along && sides(i, end) === both; ) end++;
          const [one, other] = [both >> 8, both & 0xff];
          if (one !== other) for (const label of [one, other]) if (label) draw(path(label), i, start, end);
        }
      }
    };
    walk(height, width, rows, (found, y, x, end) => {
      found.moveTo(x, y);
      found.lineTo(end, y);
    });
    walk(width, height, columns, (found, x, y, end) => {
      found.moveTo(x, y);
      found.lineTo(x, end);
    });
    return this.paths;
  }

  // Share of the image under a class, or under any, from 0 to 1.
  share(label) {
    const found = label ? this.counts[label] || 0 : this.labels.length - (this.counts[0] || 0);
    return found / this.labels.length;
  }

  // The image at the size of a canvas; scaling a photo takes longer than all else, so it is kept.
  atSize(canvas, columns, rows) {
    const kept = this.scaled.get(canvas);
    if (kept?.width === columns && kept?.height === rows) return kept;
    const made = Object.assign(document.createElement("canvas"), { width: columns, height: rows });
    const context = made.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.fillStyle = "#2a323e";
    context.fillRect(0, 0, columns, rows);
    if (this.loaded) context.drawImage(this.element, 0, 0, columns, rows);
    this.scaled.set(canvas, made);
    return made;
  }

  // Draws a small one at the size in CSS pixels; look: as it is chosen on the page.
  draw(canvas, width, height, look, colours) {
    const ratio = window.devicePixelRatio || 1;
    const [columns, rows] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
    if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.atSize(canvas, columns, rows), 0, 0);
    if (look.masks) {
      context.globalAlpha = look.outline ? 1 : look.opacity;
      context.drawImage(look.outline ? this.drawnEdges() : this.fill, 0, 0, columns, rows);
      context.globalAlpha = 1;
    }
    if (!look.clicks) return;
    context.setTransform(columns / this.width, 0, 0, rows / this.height, 0, 0);
    for (const mark of this.marks) drawMark(context, mark, ratio, 3, colours[mark.cls]);
  }
}
