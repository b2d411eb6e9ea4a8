// All images in a row: a card each, with its mask and how much of it the mask covers.

const MOST_WIDTH = 260;
const narrow = matchMedia("(max-width: 760px)"); // as in style.css

export class Strip {
  constructor(element, onPick, onRemove) {
    Object.assign(this, { element, onPick, onRemove, cards: new Map() });
  }

  show(pictures, current, look, colours) {
    const tall = narrow.matches ? 64 : 116;
    const there = new Set(pictures.map((picture) => picture.id));
    for (const [id, card] of this.cards) {
      if (!there.has(id)) {
        card.root.remove();
        this.cards.delete(id);
      }
    }
    for (const picture of pictures) {
      if (!this.cards.has(picture.id)) this.cards.set(picture.id, this.add(picture));
      const card = this.cards.get(picture.id);
      const before = card.pick.getAttribute("aria-current");
      card.pick.setAttribute("aria-current", String(picture.id === current));
      if (picture.id === current && before !== "true") card.root.scrollIntoView({ block: "nearest", inline: "nearest" });
      const share = picture.share();
      card.share.textContent = share ? `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %` : "";
      const width = Math.min(MOST_WIDTH, Math.max(1, Math.round((tall * picture.width) / picture.height)));
      const { masks, outline, clicks, opacity } = look;
      const marks = clicks ? picture.marks : [];
      const seen = JSON.stringify([tall, devicePixelRatio, masks, outline, opacity, colours, marks, picture.loaded]);
      if (seen === card.seen && picture.runs === card.runs) continue; // 64 photos are not drawn in a moment
      Object.assign(card, { seen, runs: picture.runs });
      picture.draw(card.canvas, width, tall, look, colours);
      card.canvas.dataset.drawn = String(picture.loaded);
    }
    this.element.hidden = !pictures.length;
  }

  add(picture) {
    const make = (tag, className, parent) => {
      const element = document.createElement(tag);
      element.className = className;
      parent.append(element);
      return element;
    };
    const root = make("div", "card", this.element);
    const pick = make("button", "pick", root);
    const canvas = make("canvas", "", pick);
    const label = make("span", "label", pick);
    const name = make("span", "name", label);
    const share = make("span", "share", label);
    name.textContent = picture.name;
    pick.title = picture.name;
    pick.onclick = () => this.onPick(picture.id);
    const remove = make("button", "remove", root);
    remove.textContent = "×";
    remove.title = `Remove ${picture.name}`;
    remove.setAttribute("aria-label", remove.title);
    remove.onclick = () => this.onRemove(picture);
    return { root, pick, canvas, share };
  }
}
