// The mark that is chosen: a small menu beside it, and what it offers.

import { anchor } from "./marks.js";

export class Chosen {
  // does: marks() of the image that is shown, change(ask), flip(id) and remove(id) as requests.
  constructor(menu, stage, does) {
    Object.assign(this, { menu, stage, does });
    [this.flipper, this.remover] = menu.querySelectorAll("button");
    this.flipper.onclick = () => this.flip();
    this.remover.onclick = () => this.remove();
  }

  get mark() {
    return this.does.marks().find(({ id }) => id !== undefined && id === this.stage.chosen) ?? null;
  }

  // Chooses a mark, or none; returns whether one was chosen before and no longer is.
  choose(found) {
    const before = this.mark;
    this.stage.chosen = found?.id ?? null;
    this.place();
    this.stage.draw();
    return Boolean(before) && !found;
  }

  // Puts the menu beside the mark, or away if the mark is gone.
  place() {
    const { mark, menu, stage } = this;
    menu.hidden = !mark;
    if (!mark) {
      stage.chosen = null;
      return;
    }
    this.flipper.textContent = mark.positive ? "Make it “not it”" : "Make it “this is it”";
    const { x, y } = anchor(mark);
    const at = stage.view.toFrame(x, y);
    const within = (value, size, most) => `${Math.min(Math.max(value, 4), Math.max(most - size - 4, 4))}px`;
    menu.style.left = within(at.x + 16, menu.offsetWidth, stage.frame.clientWidth);
    menu.style.top = within(at.y + 12, menu.offsetHeight, stage.frame.clientHeight);
  }

  next(by) {
    const marks = this.does.marks();
    if (!marks.length) return;
    const at = marks.findIndex(({ id }) => id === this.stage.chosen);
    const first = by > 0 ? 0 : marks.length - 1;
    const next = marks[at < 0 ? first : (at + by + marks.length) % marks.length];
    const { x, y } = anchor(next);
    this.stage.view.reveal(x, y);
    this.choose(next);
  }

  flip() {
    return this.ask(this.does.flip);
  }

  remove() {
    return this.ask(this.does.remove);
  }

  // Returns whether there was a mark to ask for.
  ask(request) {
    const { mark } = this;
    if (!mark) return false;
    this.does.change(() => request(mark.id));
    this.stage.canvas.focus();
    return true;
  }
}
