// The page: what the server knows is in `state`, what only this window knows is in `local`. Every change asks the server,
// takes over the state that it answers, and draws everything anew.

import * as api from "./api.js";
import { Chosen } from "./chosen.js";
import { ClassList } from "./classes.js";
import { receive } from "./inbox.js";
import { listen } from "./keys.js";
import { Messages } from "./messages.js";
import { Picture } from "./picture.js";
import { Stage } from "./stage.js";
import { keep, load } from "./store.js";
import { Strip } from "./strip.js";

const POLL = 1500; // ms between questions whether another window has changed something
const NO_BACKGROUND = 0.001; // a share of all images below which nothing is background

const find = (id) => document.getElementById(id);
const local = load({
  image: null,
  cls: null,
  tool: "click",
  sign: true,
  masks: true,
  outline: false,
  clicks: true,
  opacity: 0.4,
  radius: 8,
});
const pictures = new Map();
const pending = []; // marks that are drawn and not yet answered
let waiting = 0; // for how many answers
let adding = null; // the class that was named last, a promise: marks wait until it is there
let state = { images: [], classes: [], marks: [], masks: {}, guidance: [], can_undo: false, can_redo: false, pieces: "all" };

const messages = new Messages(find("messages"));
const say = (...words) => messages.say(...words);
const strip = new Strip(find("strip"), pick, removeImage);
const stage = new Stage(find("stage"), find("stage-frame"), {
  mark,
  choose: (found) => chosen.choose(found),
  look,
  zoomed: showZoom,
  moved: () => chosen.place(),
});
const chosen = new Chosen(find("mark-menu"), stage, {
  marks: () => state.marks.filter(({ image }) => image === local.image),
  change,
  flip: api.flip,
  remove: api.remove,
});
const classes = new ClassList(find("classes"), {
  choose: chooseClass,
  paint: (name, colour) => change(() => api.paintClass(name, colour)),
  remove: (name) => change(() => api.removeClass(name)),
});

// ---- drawing

const colours = () => state.classes.map(({ colour }) => colour);
const classIndex = () => state.classes.findIndex(({ name }) => name === local.cls);

// How the stage shows and marks.
function look() {
  return { ...local, cls: classIndex() };
}

// Takes a state over; that of another server knows other images by the same ids.
function take(found) {
  const server = ({ revision = "" }) => revision.split("-")[0];
  if (server(found) !== server(state)) pictures.clear();
  state = found;
}

function render() {
  if (classIndex() < 0) local.cls = state.classes[0]?.name ?? null;
  if (!state.images.some(({ id }) => id === local.image)) local.image = state.images[0]?.id ?? null;
  const there = new Set(state.images.map(({ id }) => id));
  for (const id of pictures.keys()) if (!there.has(id)) pictures.delete(id);
  for (const image of state.images) {
    if (!pictures.has(image.id)) pictures.set(image.id, new Picture(image, api.shown(image.id), draw));
    const marks = [...state.marks, ...pending].filter((mark) => mark.image === image.id);
    pictures.get(image.id).update(state.masks[image.id], colours(), marks);
  }
  stage.forget(new Set(pictures.values()));
  const trained = state.trained && state.images.length > 0;
  const enabled = {
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
  for (const [id, able] of Object.entries(enabled)) find(id).disabled = !able;
  find("empty").hidden = state.images.length > 0;
  document.querySelector(`[name=pieces][value=${state.pieces}]`).checked = true;
  renderGuidance();
  draw();
}

function draw() {
  keep(local);
  renderClasses();
  stage.colours = colours();
  const picture = pictures.get(local.image) ?? null;
  stage.show(picture);
  strip.show([...pictures.values()], local.image, local, colours());
  find("caption").textContent = picture ? describe(picture) : "";
  find("hint").textContent = hint();
  find("brush").hidden = local.tool !== "brush";
  chosen.place();
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

function renderClasses() {
  const used = new Set(state.marks.map(({ cls }) => cls));
  const removable = (i) => state.classes.length > 1 && !used.has(i) && !state.guidance.length;
  classes.show(state.classes.map((cls, i) => ({ ...cls, removable: removable(i) })), local.cls);
}

function renderGuidance() {
  find("loaded").hidden = !state.guidance.length;
  const rows = state.guidance.map(({ id, name }) => {
    const row = document.createElement("li");
    const remove = Object.assign(document.createElement("button"), { textContent: "×", ariaLabel: `Take out ${name}` });
    remove.onclick = () => change(() => api.remove(id));
    row.append(Object.assign(document.createElement("span"), { textContent: name }), remove);
    return row;
  });
  find("loaded-names").replaceChildren(...rows);
}

function showZoom(view) {
  const times = view.scale / view.fitting;
  find("zoom-fit").textContent = view.whole ? "Fit" : `${times.toFixed(times < 9.95 ? 1 : 0)}×`;
}

// ---- asking the server

const milliseconds = (seconds) => `${(1e3 * seconds).toFixed(seconds < 0.01 ? 1 : 0)} ms`;

// Asks for a change and shows what came of it; returns null, or why it was refused, which is said unless `quiet`.
async function change(ask, quiet = false) {
  const start = performance.now();
  document.body.ariaBusy = String(++waiting > 0);
  let reason = null;
  try {
    take(await ask());
  } catch (error) {
    if (!(error instanceof api.Refused)) throw error;
    reason = error.message;
    if (!quiet) say(reason, true);
    if (error.status === 404) await api.state().then(take, () => {}); // it is gone here, too
  } finally {
    document.body.ariaBusy = String(--waiting > 0);
  }
  render();
  if (reason) return reason;
  find("time-all").textContent = milliseconds((performance.now() - start) / 1e3);
  find("time-server").textContent = milliseconds(state.seconds);
  find("time-images").textContent = state.images.length;
  return null;
}

// Another window may have changed something.
async function poll() {
  if (document.hidden || waiting) return;
  const found = await api.revision().catch(() => state.revision);
  if (found !== state.revision && !waiting) await change(api.state);
}

// ---- marks

// Says what a mark says, which is { kind, .. } with its places.
async function mark(fields, negative) {
  const positive = local.sign && !negative;
  const { image } = local;
  await adding;
  const { cls } = local;
  if (!pictures.has(image)) return;
  const { kind, ...places } = fields;
  const drawn = { ...fields, image, positive, cls: classIndex() };
  pending.push(drawn); // it is seen at once, the masks when they are there
  pictures.get(image).marks.push(drawn);
  draw();
  await change(async () => {
    try {
      return await api[kind]({ image, ...places, positive, cls });
    } finally {
      pending.splice(pending.indexOf(drawn), 1);
    }
  });
}

// ---- images, classes, files

function pick(id) {
  local.image = id;
  draw();
}

function step(by) {
  const ids = state.images.map(({ id }) => id);
  if (ids.length) pick(ids[(ids.indexOf(local.image) + by + ids.length) % ids.length]);
}

function chooseClass(i) {
  if (!state.classes[i]) return;
  local.cls = state.classes[i].name;
  draw();
}

async function addClass(name) {
  if (await change(() => api.addClass(name))) return;
  find("class-name").value = "";
  chooseClass(state.classes.findIndex((cls) => cls.name === name));
}

function removeImage(picture) {
  const question = `Remove ${picture.name} with its marks? This cannot be undone.`;
  if (!picture.marks.length || confirm(question)) change(() => api.removeImage(picture.id));
}

async function save(name) {
  try {
    await api.save(name);
  } catch (error) {
    say(error.message, true);
  }
}

function choosePieces(pieces) {
  change(() => api.choosePieces(pieces));
}

// ---- controls

function toggle(name) {
  local[name] = !local[name];
  showControls();
  draw();
}

function showControls() {
  for (const name of ["masks", "outline", "clicks"]) find(`show-${name}`).checked = local[name];
  find("opacity").value = 100 * local.opacity;
  find("radius").value = local.radius;
  document.querySelector(`[name=tool][value=${local.tool}]`).checked = true;
  document.querySelector(`[name=sign][value=${local.sign ? "yes" : "no"}]`).checked = true;
}

function set(values) {
  Object.assign(local, values);
  showControls();
  draw();
}

function closeMenus(but = null) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== but) menu.open = false;
}

function escape() {
  closeMenus();
  stage.gestures.cancel();
  chosen.choose(null);
}

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
  "save-work": () => save("guidenet-work.zip"),
  "save-masks": () => save("masks.zip"),
  "save-coco": () => save("coco.json"),
  "save-coco-polygons": () => save("coco-polygons.json"),
  "save-labelme": () => save("labelme.zip"),
  "save-guidance": () => save("guidance.npz"),
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
  chooseClass,
  chooseTool: (tool) => set({ tool }),
  deleteMark: () => chosen.remove(),
  escape,
  flipMark: () => chosen.flip(),
  flipPieces: () => choosePieces(state.pieces === "all" ? "annotated" : "all"),
  flipSign: () => set({ sign: !local.sign }),
  nextMark: (by) => chosen.next(by),
  resize: (by) => set({ radius: Math.min(Math.max(local.radius + by * Math.ceil((local.radius + 1) / 6), 0), 60) }),
  step,
  toggle,
});

for (const name of ["masks", "outline", "clicks"]) find(`show-${name}`).onchange = () => toggle(name);
find("opacity").oninput = (event) => set({ opacity: event.target.value / 100 });
find("radius").oninput = (event) => set({ radius: Number(event.target.value) });
for (const input of document.querySelectorAll("[name=tool]")) input.onchange = () => set({ tool: input.value });
for (const input of document.querySelectorAll("[name=pieces]")) input.onchange = () => choosePieces(input.value);
for (const input of document.querySelectorAll("[name=sign]")) input.onchange = () => set({ sign: input.value === "yes" });
document.addEventListener("pointerdown", (event) => closeMenus(event.target.closest?.("details.menu")));

receive(find, { state: () => state, change, say });

find("new-class").onsubmit = (event) => {
  event.preventDefault();
  const name = find("class-name").value.trim();
  if (name) adding = addClass(name);
};

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) change(api.state);
});

showControls();
change(api.state);
setInterval(poll, POLL);
