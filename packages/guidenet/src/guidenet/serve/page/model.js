// What the page knows: `state` is what the server said last, `local` what only this window knows, and beside them are
// the pictures of images and the marks that the server has not answered yet.

import * as api from "./api.js";
import { Picture } from "./picture.js";
import { load } from "./store.js";

export const local = load({
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
export const pictures = new Map();
export const pending = []; // marks that are drawn and not yet answered
export let state = { images: [], classes: [], marks: [], masks: {}, guidance: [], can_undo: false, can_redo: false, pieces: "all" };

export const colours = () => state.classes.map(({ colour }) => colour);
export const classIndex = () => state.classes.findIndex(({ name }) => name === local.cls);
export const shownMarks = () => state.marks.filter(({ image }) => image === local.image);

// How the stage shows and marks.
export function look() {
  return { ...local, cls: classIndex() };
}

// Takes a state over; that of another server knows other images by the same ids.
export function take(found) {
  const server = ({ revision = "" }) => revision.split("-")[0];
  if (server(found) !== server(state)) pictures.clear();
  state = found;
}

// Brings what only this window knows in line with the state; draw is called when a picture has come.
export function follow(draw) {
  if (classIndex() < 0) local.cls = state.classes[0]?.name ?? null;
  if (!state.images.some(({ id }) => id === local.image)) local.image = state.images[0]?.id ?? null;
  const there = new Set(state.images.map(({ id }) => id));
  for (const id of pictures.keys()) if (!there.has(id)) pictures.delete(id);
  for (const image of state.images) {
    if (!pictures.has(image.id)) pictures.set(image.id, new Picture(image, api.shown(image.id), draw));
    const marks = [...state.marks, ...pending].filter((mark) => mark.image === image.id);
    pictures.get(image.id).update(state.masks[image.id], colours(), marks);
  }
}
