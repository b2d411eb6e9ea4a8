// What the mouse, a pen or fingers do on the stage: clicks, drags that draw, drags that move the image, zooming.

const SLOP = { mouse: 4, pen: 6, touch: 10 }; // CSS pixels that a press may move and still be a click
const DOUBLE = 350; // ms in which a second click at one place is part of a double click

export class Gestures {
  // does: tool(), click(point, negative), start(point, negative), move(point), end(point), cancel(), hover(point),
  // pan(dx, dy), zoom(factor, x, y). Points are in CSS pixels of the canvas.
  constructor(canvas, does) {
    Object.assign(this, { canvas, does, pointers: new Map(), mode: null, press: null, last: null, space: false });
    const listen = (type, handle, options) => canvas.addEventListener(type, handle, options);
    listen("pointerdown", (event) => this.down(event));
    listen("pointermove", (event) => this.move(event));
    listen("pointerup", (event) => this.up(event));
    listen("pointercancel", (event) => this.stop(event));
    listen("pointerleave", () => does.hover(null));
    listen("contextmenu", (event) => event.preventDefault());
    listen("wheel", (event) => this.wheel(event), { passive: false });
    addEventListener("keydown", (event) => this.key(event, true));
    addEventListener("keyup", (event) => this.key(event, false));
    addEventListener("blur", () => this.setSpace(false));
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  key(event, down) {
    if (event.key !== " ") return;
    this.setSpace(down);
    if (down && !event.target.closest?.("button, input, summary, dialog")) event.preventDefault(); // no scrolling
  }

  setSpace(space) {
    this.space = space;
    this.canvas.classList.toggle("grab", space);
  }

  down(event) {
    const at = this.point(event);
    this.pointers.set(event.pointerId, at);
    this.canvas.setPointerCapture(event.pointerId);
    if (this.pointers.size === 2) return this.startPinch();
    if (this.pointers.size > 2) return;
    if (event.button === 1 || (event.button === 0 && this.space)) {
      event.preventDefault(); // no scrolling by the middle button
      this.setMode("pan");
    } else if (event.button === 0 || event.button === 2) {
      const negative = event.button === 2 || event.shiftKey || event.ctrlKey;
      this.press = { at, negative, slop: SLOP[event.pointerType] ?? SLOP.mouse };
      this.setMode("press");
    }
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    const at = this.point(event);
    this.does.hover(event.pointerType === "touch" ? null : at);
    if (!before) return;
    this.pointers.set(event.pointerId, at);
    if (this.mode === "pinch") return this.pinch();
    if (this.mode === "press" && Math.hypot(at.x - this.press.at.x, at.y - this.press.at.y) > this.press.slop) {
      const draws = this.does.tool() !== "click";
      this.setMode(draws ? "draw" : "pan");
      if (draws) this.does.start(this.press.at, this.press.negative);
      else this.does.pan(at.x - this.press.at.x, at.y - this.press.at.y);
      if (!draws) return;
    }
    if (this.mode === "pan") this.does.pan(at.x - before.x, at.y - before.y);
    if (this.mode === "draw") {
      const all = event.getCoalescedEvents?.() ?? [];
      for (const part of all.length ? all : [event]) this.does.move(this.point(part));
    }
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    const at = this.point(event);
    const { mode } = this;
    if (this.pointers.size) {
      if (mode === "pinch" && this.pointers.size === 1) this.setMode("pan"); // by the finger that is left
      return;
    }
    this.setMode(null);
    if (mode === "draw") this.does.end(at);
    if (mode === "press") this.click(this.press.at, this.press.negative, event.timeStamp);
  }

  click(at, negative, time) {
    const { last } = this;
    this.last = { at, negative, time };
    const near = last && Math.hypot(at.x - last.at.x, at.y - last.at.y) <= 4;
    if (near && negative === last.negative && time - last.time < DOUBLE) return; // a double click is one
    this.does.click(at, negative);
  }

  stop(event) {
    this.pointers.delete(event.pointerId);
    this.cancel();
  }

  // Ends what is going on, without its effect.
  cancel() {
    if (this.mode === "draw") this.does.cancel();
    this.setMode(null);
  }

  setMode(mode) {
    this.mode = mode;
    this.canvas.classList.toggle("grabbing", mode === "pan");
  }

  startPinch() {
    this.cancel();
    this.setMode("pinch");
    this.fingers = this.spread();
  }

  spread() {
    const [one, two] = [...this.pointers.values()];
    return { x: (one.x + two.x) / 2, y: (one.y + two.y) / 2, apart: Math.hypot(one.x - two.x, one.y - two.y) };
  }

  pinch() {
    const now = this.spread();
    const { fingers, does } = this;
    this.fingers = now;
    does.zoom(now.apart / Math.max(fingers.apart, 1), fingers.x, fingers.y);
    does.pan(now.x - fingers.x, now.y - fingers.y);
  }

  wheel(event) {
    event.preventDefault();
    const unit = [1, 16, 400][event.deltaMode];
    const speed = event.ctrlKey ? 0.01 : 0.002; // with Ctrl it is a pinch on a touchpad, in small steps
    const { x, y } = this.point(event);
    this.does.zoom(Math.exp(-Math.min(Math.max(event.deltaY * unit, -300), 300) * speed), x, y);
  }
}
