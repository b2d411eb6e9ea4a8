// The large image: what is seen of it, and where one marks, by mouse, fingers or keyboard.

import { Gestures } from "./gestures.js";
import { drawMark, markAt, RADIUS, strokeTwice } from "./marks.js";
import { View } from "./view.js";

const LARGE_STEP = 20;
const STEP = 2;
const SHARP = 3; // from so many pixels of the screen on for one of the image, it is drawn as a square
const clamp = (value, end) => Math.min(Math.max(Math.floor(value), 0), end - 1);

export class Stage {
  // does: mark(fields, negative), choose(mark, point), look() with the tool, the brush's radius and what is shown,
  // zoomed(scale).
  constructor(canvas, frame, does) {
    Object.assign(this, { canvas, frame, does, picture: null, cursor: null, hovered: null, draft: null, chosen: null });
    this.views = new Map();
    this.colours = [];
    this.gestures = new Gestures(canvas, {
      tool: () => does.look().tool,
      click: (at, negative) => this.click(at, negative),
      start: (at, negative) => this.start(at, negative),
      move: (at) => this.extend(at),
      end: (at) => this.end(at),
      cancel: () => this.setDraft(null),
      hover: (at) => this.hover(at),
      pan: (dx, dy) => this.pan(dx, dy),
      zoom: (factor, x, y) => this.zoom(factor, x, y),
    });
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.setCursor(null));
    new ResizeObserver(() => this.draw()).observe(frame);
  }

  show(picture) {
    if (picture !== this.picture) {
      this.gestures.cancel();
      Object.assign(this, { cursor: null, draft: null });
    }
    this.picture = picture;
    this.canvas.hidden = !picture;
    if (picture) this.canvas.setAttribute("aria-label", `${picture.name}, ${picture.width} by ${picture.height} pixels`);
    this.draw();
  }

  get view() {
    const { picture, views } = this;
    if (!views.has(picture)) views.set(picture, new View(picture.width, picture.height));
    return views.get(picture);
  }

  // Forgets how pictures were looked at that are gone.
  forget(there) {
    for (const picture of this.views.keys()) if (!there.has(picture)) this.views.delete(picture);
  }

  // ---- zoom and pan

  pan(dx, dy) {
    this.view.pan(dx, dy);
    this.moved();
  }

  zoom(factor, x, y) {
    this.view.zoom(factor, x, y);
    this.moved();
  }

  // By keyboard or button: around the cursor, or the middle.
  zoomBy(factor) {
    if (!this.picture) return;
    const { frame } = this.view;
    const { x, y } = this.cursor
      ? this.view.toFrame(this.cursor.x + 0.5, this.cursor.y + 0.5)
      : { x: frame.width / 2, y: frame.height / 2 };
    this.zoom(factor, x, y);
  }

  fit() {
    if (!this.picture) return;
    this.view.fit();
    this.moved();
  }

  moved() {
    this.does.moved();
    this.draw();
  }

  // ---- drawing

  draw() {
    if (this.due) return;
    this.due = requestAnimationFrame(() => {
      this.due = null;
      this.paint();
    });
  }

  paint() {
    const { picture, frame, canvas } = this;
    const [width, height] = [frame.clientWidth, frame.clientHeight];
    if (!picture || width < 1 || height < 1) return;
    const { view } = this;
    view.resize(width, height);
    const ratio = window.devicePixelRatio || 1;
    const [columns, rows] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
    canvas.dataset.view = [view.left, view.top, view.scale].join(" ");
    canvas.dataset.drawn = String(picture.loaded);
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, columns, rows);
    const scale = view.scale * ratio;
    context.setTransform(scale, 0, 0, scale, view.left * ratio, view.top * ratio);
    this.paintPicture(context, scale);
    const look = this.does.look();
    if (look.masks) this.paintMasks(context, look, scale, ratio);
    const marks = look.clicks ? picture.marks : [];
    for (const mark of marks) drawMark(context, mark, ratio, RADIUS, this.colours[mark.cls], mark.id === this.chosen);
    if (this.draft) drawMark(context, this.draft, ratio, RADIUS, this.colours[this.draft.cls]);
    else if (look.tool === "brush") this.paintBrush(context, look, ratio / scale);
    if (this.cursor) this.paintCursor(context, ratio);
    this.does.zoomed(view);
  }

  paintPicture(context, scale) {
    const { picture } = this;
    context.fillStyle = "#2a323e";
    context.fillRect(0, 0, picture.width, picture.height);
    if (!picture.loaded) return;
    context.imageSmoothingEnabled = (scale * picture.width) / picture.element.naturalWidth < SHARP;
    context.imageSmoothingQuality = "high";
    context.drawImage(picture.element, 0, 0, picture.width, picture.height);
  }

  paintMasks(context, look, scale, ratio) {
    const { picture } = this;
    if (!look.outline) {
      context.imageSmoothingEnabled = scale < 1;
      context.globalAlpha = look.opacity;
      context.drawImage(picture.fill, 0, 0);
      context.globalAlpha = 1;
    }
    for (const [label, path] of picture.outlines()) {
      strokeTwice(context, path, ratio / scale, this.colours[label - 1]);
    }
  }

  paintBrush(context, look, unit) {
    const at = this.cursor ?? this.hovered;
    if (!at) return;
    const ring = new Path2D();
    ring.arc(Math.floor(at.x) + 0.5, Math.floor(at.y) + 0.5, look.radius + 0.5, 0, 2 * Math.PI);
    strokeTwice(context, ring, unit, this.colours[look.cls] ?? "#ffffff");
  }

  paintCursor(context, ratio) {
    const { x, y } = context.getTransform().transformPoint({ x: this.cursor.x + 0.5, y: this.cursor.y + 0.5 });
    context.setTransform(1, 0, 0, 1, 0, 0);
    for (const [colour, width] of [["#10151b", 5], ["#fff", 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = width * ratio;
      context.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(x + 5 * dx * ratio, y + 5 * dy * ratio);
        context.lineTo(x + 18 * dx * ratio, y + 18 * dy * ratio);
      }
      context.stroke();
    }
  }

  // ---- marking

  inside({ x, y }) {
    return x >= 0 && y >= 0 && x < this.picture.width && y < this.picture.height;
  }

  click(at, negative) {
    const place = this.view.toImage(at.x, at.y);
    this.setCursor(null);
    this.act(place, negative);
  }

  // A click or the Enter key at a point of the image.
  act(place, negative) {
    const look = this.does.look();
    const { picture, view } = this;
    const found = look.clicks && look.tool !== "brush" ? markAt(picture.marks, place.x, place.y, view.scale) : null;
    if (found) return this.does.choose(found);
    if (this.does.choose(null) || !this.inside(place)) return;
    const [y, x] = [Math.floor(place.y), Math.floor(place.x)];
    if (look.tool === "click") this.does.mark({ kind: "click", y, x }, negative);
    if (look.tool === "brush") this.does.mark({ kind: "stroke", points: [[y, x]], radius: look.radius }, negative);
  }

  // A drag with the box or the brush: what is drawn so far is the draft.
  start(at, negative) {
    const look = this.does.look();
    const { x, y } = this.view.toImage(at.x, at.y);
    this.does.choose(null);
    this.setCursor(null);
    const { sign, cls } = look;
    const positive = sign && !negative;
    if (look.tool === "box") this.draft = { kind: "box", from: { x, y }, negative, positive, cls };
    else this.draft = { kind: "stroke", points: [], radius: look.radius, negative, positive, cls };
    this.extend(at);
  }

  extend(at) {
    const { draft, picture, view } = this;
    if (!draft) return;
    const place = view.toImage(at.x, at.y);
    if (draft.kind === "box") stretch(draft, place, picture);
    else {
      const [y, x] = [clamp(place.y, picture.height), clamp(place.x, picture.width)];
      const last = draft.points.at(-1);
      const near = last && Math.hypot(last[0] - y, last[1] - x) < Math.max(1, draft.radius / 4);
      if (!near && (last || this.inside(place))) draft.points.push([y, x]);
    }
    this.draw();
  }

  end(at) {
    this.extend(at);
    const { draft } = this;
    this.setDraft(null);
    if (!draft || (draft.kind === "stroke" && !draft.points.length)) return;
    const { kind, negative, points, radius, top, left, bottom, right } = draft;
    if (kind === "stroke") this.does.mark({ kind, points, radius }, negative);
    else if (right - left > 1 && bottom - top > 1) this.does.mark({ kind, top, left, bottom, right }, negative);
  }

  setDraft(draft) {
    this.draft = draft;
    this.draw();
  }

  hover(at) {
    this.hovered = at && this.picture ? this.view.toImage(at.x, at.y) : null;
    if (this.does.look().tool === "brush") this.draw();
  }

  setCursor(cursor) {
    if (!cursor && !this.cursor) return;
    this.cursor = cursor;
    if (!cursor && this.draft?.kind === "box") this.draft = null;
    if (cursor) this.view.reveal(cursor.x + 0.5, cursor.y + 0.5);
    this.draw();
  }

  // ---- keyboard

  key(event) {
    const { picture } = this;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const centre = { x: picture.width >> 1, y: picture.height >> 1 };
    if (moves[event.key]) {
      const step = event.shiftKey ? LARGE_STEP : this.view.scale > 6 ? 1 : STEP;
      const [dx, dy] = this.cursor ? moves[event.key] : [0, 0];
      const { x, y } = this.cursor || centre;
      this.setCursor({ x: clamp(x + step * dx, picture.width), y: clamp(y + step * dy, picture.height) });
      if (this.draft?.kind === "box") stretch(this.draft, middle(this.cursor), picture);
    } else if (event.key === "Enter") {
      if (!this.cursor) this.setCursor(centre);
      else if (this.does.look().tool === "box") this.corner(event.shiftKey);
      else this.act(middle(this.cursor), event.shiftKey);
    } else if (event.key === "Escape" && this.draft) this.setDraft(null);
    else return;
    event.preventDefault();
  }

  // Enter with the box: the first one starts it, the second one ends it.
  corner(negative) {
    if (this.draft) {
      const { top, left, bottom, right, negative: before } = this.draft;
      this.draft = null;
      this.does.mark({ kind: "box", top, left, bottom, right }, before || negative);
      return;
    }
    const { sign, cls } = this.does.look();
    this.draft = { kind: "box", from: middle(this.cursor), negative, positive: sign && !negative, cls };
    stretch(this.draft, middle(this.cursor), this.picture);
    this.draw();
  }
}

const middle = ({ x, y }) => ({ x: x + 0.5, y: y + 0.5 });

// Takes all pixels into a box from where it began to a point.
function stretch(box, to, picture) {
  const columns = [clamp(box.from.x, picture.width), clamp(to.x, picture.width)].sort((a, b) => a - b);
  const rows = [clamp(box.from.y, picture.height), clamp(to.y, picture.height)].sort((a, b) => a - b);
  Object.assign(box, { left: columns[0], right: columns[1] + 1, top: rows[0], bottom: rows[1] + 1 });
}
