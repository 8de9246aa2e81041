import { Gallery } from "./gallery.js";
import { takePictures } from "./intake.js";
import { showModel } from "./model.js";

const gallery = new Gallery();
takePictures((files) => gallery.add(files));
await showModel();
