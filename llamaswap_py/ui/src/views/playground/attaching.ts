// Files that a person attaches, as they are kept and sent.

import { bytes } from "../../lib/words";
import type { Attachment } from "./talk";

const LARGEST = 25 * 1024 * 1024;
const LONGEST_TEXT = 2 * 1024 * 1024;
const WIDEST = 2048; // pixels: models scale larger images down themselves
const SENT_AS_IT_IS = /^image\/(png|jpeg|webp|gif)$/;

export async function read(file: File): Promise<Attachment> {
  const about = { id: `${file.name} ${file.lastModified} ${file.size} ${Math.random()}`, name: file.name || "pasted", size: file.size };
  if (file.size > LARGEST) throw new Error(`${about.name} has ${bytes(file.size)}: at most ${bytes(LARGEST)} can be attached.`);
  if (file.type.startsWith("image/")) return { ...about, kind: "image", content: await image(file) };
  if (file.type.startsWith("audio/")) return { ...about, kind: "audio", content: await address(file) };
  const text = file.size > LONGEST_TEXT ? undefined : await plain(file);
  if (text === undefined) throw new Error(`${about.name} is neither an image nor audio nor a text of less than ${bytes(LONGEST_TEXT)}.`);
  return { ...about, kind: "text", content: text };
}

async function plain(file: File): Promise<string | undefined> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    return text.includes("\0") ? undefined : text;
  } catch {
    return undefined;
  }
}

function address(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(new Error("The file could not be read."));
    reader.readAsDataURL(file);
  });
}

/** As it is where it is small and of a kind that servers know, else drawn anew. */
async function image(file: File): Promise<string> {
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file);
  } catch {
    throw new Error(`${file.name} is no image that this browser can read.`);
  }
  const scale = Math.min(1, WIDEST / Math.max(picture.width, picture.height));
  if (scale === 1 && SENT_AS_IT_IS.test(file.type)) return address(file);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d")!.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.92);
}
