// Buttons, switches, menus and keys of the page: which of them does what.

import * as api from "./api.js";
import { listen } from "./keys.js";
import { local, state } from "./model.js";

// parts: acts, change, draw, stage, chosen.
export function control(find, { acts, change, draw, stage, chosen }) {
  function set(values) {
    Object.assign(local, values);
    showControls(find);
    draw();
  }
  const toggle = (name) => set({ [name]: !local[name] });

  const actions = {
    add: () => find("image-files").click(),
    "add-files": () => find("image-files").click(),
    "add-folder": () => find("folder").click(),
    choose: () => find("image-files").click(),
    "open-work": () => find("work-file").click(),
    "load-guidance": () => find("guidance-file").click(),
    undo: () => change(api.undo),
    redo: () => change(api.redo),
    clear: () => change(api.clear),
    "save-work": () => acts.save("guidenet-work.zip"),
    "save-masks": () => acts.save("masks.zip"),
    "save-coco": () => acts.save("coco.json"),
    "save-coco-polygons": () => acts.save("coco-polygons.json"),
    "save-labelme": () => acts.save("labelme.zip"),
    "save-guidance": () => acts.save("guidance.npz"),
    "zoom-in": () => stage.zoomBy(1.5),
    "zoom-out": () => stage.zoomBy(1 / 1.5),
    "zoom-fit": () => stage.fit(),
    help: () => {
      find("shortcuts").showModal(); // the button at its end has the focus, and is scrolled to
      find("shortcuts").scrollTop = 0;
    },
  };
  for (const [id, action] of Object.entries(actions)) {
    find(id).addEventListener("click", () => {
      closeMenus();
      action();
    });
  }

  listen(find, (id) => find(id).disabled || actions[id](), {
    chooseClass: (i) => acts.chooseClass(i),
    chooseTool: (tool) => set({ tool }),
    deleteMark: () => chosen.remove(),
    escape: () => {
      closeMenus();
      stage.gestures.cancel();
      chosen.choose(null);
    },
    flipMark: () => chosen.flip(),
    flipPieces: () => acts.choosePieces(state.pieces === "all" ? "annotated" : "all"),
    flipSign: () => set({ sign: !local.sign }),
    nextMark: (by) => chosen.next(by),
    resize: (by) => set({ radius: Math.min(Math.max(local.radius + by * Math.ceil((local.radius + 1) / 6), 0), 60) }),
    step: (by) => acts.step(by),
    toggle,
  });

  const each = (name, handle) => {
    for (const input of document.querySelectorAll(`[name=${name}]`)) input.onchange = () => handle(input.value);
  };
  for (const name of ["masks", "outline", "clicks"]) find(`show-${name}`).onchange = () => toggle(name);
  find("opacity").oninput = (event) => set({ opacity: event.target.value / 100 });
  find("radius").oninput = (event) => set({ radius: Number(event.target.value) });
  each("tool", (tool) => set({ tool }));
  each("pieces", (pieces) => acts.choosePieces(pieces));
  each("sign", (sign) => set({ sign: sign === "yes" }));
  find("new-class").onsubmit = (event) => {
    event.preventDefault();
    acts.nameClass();
  };
  document.addEventListener("pointerdown", (event) => closeMenus(event.target.closest?.("details.menu")));
  showControls(find);
}

function showControls(find) {
  for (const name of ["masks", "outline", "clicks"]) find(`show-${name}`).checked = local[name];
  find("opacity").value = 100 * local.opacity;
  find("radius").value = local.radius;
  document.querySelector(`[name=tool][value=${local.tool}]`).checked = true;
  document.querySelector(`[name=sign][value=${local.sign ? "yes" : "no"}]`).checked = true;
}

function closeMenus(but = null) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== but) menu.open = false;
}
