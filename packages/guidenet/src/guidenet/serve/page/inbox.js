// How files come in: chosen, or dropped anywhere on the page.

import * as api from "./api.js";
import { addImages, chosen, dropped, sort } from "./files.js";

// does: state(), change(ask, quiet) as that of Changes, say as Messages.
export function receive(find, does) {
  async function addFiles(found) {
    const { images, guidance, work, others } = sort(found);
    for (const file of work) await openWork(file);
    if (images.length || others.length || !(guidance.length + work.length)) {
      await addImages(images, others, {
        add: (file, name) => tooLarge(file, name) ?? does.change(() => api.addImage(file, name), true),
        room: () => does.state().limits.images - does.state().images.length,
        most: () => does.state().limits.images,
        say: does.say,
      });
    }
    for (const file of guidance) await loadGuidance(file);
  }

  // The server would say so too, but only after all of it was sent.
  function tooLarge(file, name) {
    const most = does.state().limits.image_bytes;
    return file.size > most ? `${name} is larger than ${most / 2 ** 20} MB, the most that is taken of one file` : null;
  }

  async function loadGuidance(file) {
    if (!(await does.change(() => api.loadGuidance(file)))) does.say(`${file.name} is loaded.`);
  }

  async function openWork(file) {
    const question = `Open ${file.name} in place of the images and marks that are here? This cannot be undone.`;
    if (does.state().images.length && !confirm(question)) return;
    if (!(await does.change(() => api.openWork(file)))) does.say(`${file.name} is open.`);
  }

  const inputs = {
    "image-files": (files) => addFiles(files),
    folder: (files) => addFiles(files),
    "guidance-file": ([{ file }]) => loadGuidance(file),
    "work-file": ([{ file }]) => openWork(file),
  };
  for (const [id, act] of Object.entries(inputs)) {
    find(id).onchange = (event) => {
      const files = chosen(event.target);
      if (files.length) act(files);
      event.target.value = "";
    };
  }

  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    find("drop").hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) find("drop").hidden = true;
  });
  addEventListener("drop", async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    find("drop").hidden = true;
    addFiles(await dropped(event.dataTransfer));
  });
}
