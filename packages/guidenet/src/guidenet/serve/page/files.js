// Files that are dropped or chosen: what is in folders, and what is an image, guidance or work.

// As SUFFIXES of guidenet.reading; and HEIC, of which the server says why it is not read.
const IMAGE = /\.(avif|bmp|gif|heic|j2k|jp2|jpeg|jpg|pgm|png|pnm|ppm|tif|tiff|webp)$/i;

// All files of a drop as { file, name, deep }: `name` has the folders, `deep` is whether there is one.
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile()).filter(Boolean);
  const found = [];
  for (const entry of entries) await walk(entry, found, false);
  return found;
}

async function walk(entry, found, deep) {
  if (entry instanceof File) found.push({ file: entry, name: entry.name, deep });
  else if (entry.isFile) {
    const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
    const name = entry.fullPath.replace(/^\//, "");
    if (file) found.push({ file, name: deep ? name : file.name, deep });
  } else {
    const inside = await list(entry);
    inside.sort((one, other) => one.name.localeCompare(other.name, undefined, { numeric: true }));
    for (const child of inside) await walk(child, found, true);
  }
}

// A reader gives some entries at a time, and none at the end.
async function list(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (!some.length) return all;
    all.push(...some);
  }
}

// Files of an input, as `dropped` gives them.
export function chosen(input) {
  return [...input.files].map((file) => {
    const name = file.webkitRelativePath || file.name;
    return { file, name, deep: name !== file.name };
  });
}

// Sorts files into images, guidance, work, and what a folder has besides images; hidden files are none.
export function sort(files) {
  const sorted = { images: [], guidance: [], work: [], others: [] };
  for (const found of files) {
    const { name, deep, file } = found;
    const hidden = name.split("/").some((part) => part.startsWith("."));
    if (!deep && /\.npz$/i.test(name)) sorted.guidance.push(file);
    else if (!deep && /\.zip$/i.test(name)) sorted.work.push(file);
    else if (deep && (hidden || !(IMAGE.test(name) || file.type.startsWith("image/")))) sorted.others.push(found);
    else sorted.images.push(found);
  }
  return sorted;
}

const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;

// Adds images one after another; says in as few messages as possible what was not added, and why.
// does: add(file, name) gives null or why it was refused, room() how many fit, most() how many in all, say as Messages.
export async function addImages(images, others, does) {
  const progress = images.length > 1 ? does.say("Looking at images …", false, [], true) : null;
  const refused = [];
  let added = 0;
  let left = 0;
  for (const [i, { file, name }] of images.entries()) {
    if (does.room() <= 0) {
      left = images.length - i;
      break;
    }
    progress?.change(`Looking at ${i + 1} of ${images.length}: ${name}`);
    const reason = await does.add(file, name);
    if (reason) refused.push(reason);
    else added++;
  }
  progress?.close();
  if (left) {
    const most = does.most();
    const these = count(left, "image was", "images were");
    does.say(
      `${these} not added: ${most} are the most at once. Start with guidenet serve --max-images ${most + left} for all.`,
      true,
      images.slice(-left).map(({ name }) => name),
    );
  }
  if (refused.length === 1) does.say(refused[0], true);
  else if (refused.length) does.say(`${refused.length} files were not added.`, true, refused);
  if (others.length) {
    const what = count(others.length, "file that is no image was", "files that are no images were");
    does.say(`${count(added, "image", "images")} added; ${what} left out.`);
  } else if (!images.length && !left) does.say("There was no image in it.");
}
