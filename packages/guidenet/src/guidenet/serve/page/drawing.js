// Draws what the page knows: pictures, lists, words, and which buttons can be pressed.

import { colours, follow, local, pictures, state } from "./model.js";
import { keep } from "./store.js";

const NO_BACKGROUND = 0.001; // a share of all images below which nothing is background

export class Drawing {
  // parts: stage, strip, chosen, classes; takeOut(id) takes loaded guidance out.
  constructor(find, parts, takeOut) {
    Object.assign(this, { find, parts, takeOut });
  }

  // After a change of the state.
  render() {
    const { find, parts } = this;
    follow(() => this.draw());
    parts.stage.forget(new Set(pictures.values()));
    for (const [id, able] of Object.entries(enabled())) find(id).disabled = !able;
    find("empty").hidden = state.images.length > 0;
    document.querySelector(`[name=pieces][value=${state.pieces}]`).checked = true;
    this.renderGuidance();
    this.draw();
  }

  // After a change of what only this window knows.
  draw() {
    const { find } = this;
    const { stage, strip, chosen } = this.parts;
    keep(local);
    this.renderClasses();
    stage.colours = colours();
    const picture = pictures.get(local.image) ?? null;
    stage.show(picture);
    strip.show([...pictures.values()], local.image, local, colours());
    find("caption").textContent = picture ? describe(picture) : "";
    find("hint").textContent = hint();
    find("brush").hidden = local.tool !== "brush";
    chosen.place();
  }

  renderClasses() {
    const used = new Set(state.marks.map(({ cls }) => cls));
    const removable = (i) => state.classes.length > 1 && !used.has(i) && !state.guidance.length;
    this.parts.classes.show(state.classes.map((cls, i) => ({ ...cls, removable: removable(i) })), local.cls);
  }

  renderGuidance() {
    this.find("loaded").hidden = !state.guidance.length;
    const rows = state.guidance.map(({ id, name }) => {
      const row = document.createElement("li");
      const remove = Object.assign(document.createElement("button"), { textContent: "×", ariaLabel: `Take out ${name}` });
      remove.onclick = () => this.takeOut(id);
      row.append(Object.assign(document.createElement("span"), { textContent: name }), remove);
      return row;
    });
    this.find("loaded-names").replaceChildren(...rows);
  }

  showZoom(view) {
    const times = view.scale / view.fitting;
    this.find("zoom-fit").textContent = view.whole ? "Fit" : `${times.toFixed(times < 9.95 ? 1 : 0)}×`;
  }
}

// Buttons by id: whether there is something for them to do.
function enabled() {
  const trained = state.trained && state.images.length > 0;
  return {
    undo: state.can_undo,
    redo: state.can_redo,
    clear: state.marks.length + state.guidance.length > 0,
    "save-work": state.images.length > 0,
    "save-guidance": state.trained,
    "save-masks": trained,
    "save-coco": trained,
    "save-coco-polygons": trained,
    "save-labelme": trained,
  };
}

function describe(picture) {
  const shares = state.classes.map(({ name }, i) => [name, picture.share(i + 1)]).filter(([, share]) => share);
  const found = shares.map(([name, share]) => `${name} ${(100 * share).toFixed(1)} %`).join(", ");
  return [picture.name, `${picture.fileSize} px`, found || "no mask yet"].join("  ·  ");
}

// Said only while it is so: nothing in any image is background.
function hint() {
  const all = [...pictures.values()];
  if (!state.trained || state.marks.some(({ positive }) => !positive)) return "";
  if (!all.length || all.some((picture) => 1 - picture.share() > NO_BACKGROUND)) return "";
  return "Everything is masked: a “not it” click (right click) says what is background.";
}
