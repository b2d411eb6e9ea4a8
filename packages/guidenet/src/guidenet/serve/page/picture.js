// One image with its mask and clicks, drawn at any size.

const OUTLINE = 0xff; // opacity of a mask's edge
const INSIDE = 0x6b; // and of the rest

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
    this.clicks = [];
    this.overlay = document.createElement("canvas");
    this.overlay.width = this.width;
    this.overlay.height = this.height;
    this.scaled = new WeakMap();
    this.element = new Image();
    this.element.onload = () => {
      this.scaled = new WeakMap();
      onLoad();
    };
    this.element.src = source;
  }

  // Takes the mask over, and paints it into the overlay if it is another one; colours are #rrggbb by class.
  update(runs, colours, clicks) {
    this.clicks = clicks;
    const key = `${colours.join()} ${runs}`;
    if (key === this.runs) return;
    this.runs = key;
    this.counts = [];
    const context = this.overlay.getContext("2d", { willReadFrequently: true }); // in memory: it is written pixel by pixel
    const data = context.createImageData(this.width, this.height);
    const pixels = new Uint32Array(data.data.buffer);
    const { labels, width } = this;
    const edges = [0, ...colours.map((colour) => pack(colour, OUTLINE))];
    const insides = [0, ...colours.map((colour) => pack(colour, INSIDE))];
    const starts = [];
    for (const [label, start, end] of decodeRuns(runs)) {
      labels.fill(label, start, end);
      if (label) pixels.fill(insides[label], start, end);
      if (start % width) starts.push(start);
      this.counts[label] = (this.counts[label] || 0) + end - start;
    }
    for (const start of starts) {
      pixels[start - 1] = edges[labels[start - 1]];
      pixels[start] = edges[labels[start]];
    }
    for (let above = 0, i = width; i < labels.length; above++, i++) {
      if (labels[above] === labels[i]) continue;
      pixels[above] = edges[labels[above]];
      pixels[i] = edges[labels[i]];
    }
    context.putImageData(data, 0, 0);
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
    if (this.element.complete && this.element.naturalWidth) context.drawImage(this.element, 0, 0, columns, rows);
    this.scaled.set(canvas, made);
    return made;
  }

  // Draws at the size in CSS pixels; view: whether masks and clicks are shown, and the radius of clicks.
  draw(canvas, width, height, view, colours) {
    const ratio = window.devicePixelRatio || 1;
    const [columns, rows] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
    if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.drawImage(this.atSize(canvas, columns, rows), 0, 0);
    if (view.masks) context.drawImage(this.overlay, 0, 0, columns, rows);
    if (!view.clicks) return;
    for (const click of this.clicks) {
      const x = ((click.x + 0.5) / this.width) * columns;
      const y = ((click.y + 0.5) / this.height) * rows;
      drawClick(context, x, y, view.radius * ratio, click.positive, colours[click.cls]);
    }
  }
}

// A filled disc with + is the class, a ring with − is not: the shape says it without the colour.
function drawClick(context, x, y, radius, positive, colour) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = positive ? colour : "#10151b";
  context.fill();
  context.lineWidth = Math.max(1.5, radius / 4);
  context.strokeStyle = positive ? "#fff" : colour;
  context.stroke();
  if (radius < 5) return;
  const arm = radius * 0.5;
  context.beginPath();
  context.moveTo(x - arm, y);
  context.lineTo(x + arm, y);
  if (positive) {
    context.moveTo(x, y - arm);
    context.lineTo(x, y + arm);
  }
  context.strokeStyle = positive ? "#10151b" : "#fff";
  context.stroke();
}
