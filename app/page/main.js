import { Gallery } from "./gallery.js";
import { takePictures } from "./intake.js";
import { showModel } from "./model.js";

const gallery = new Gallery();
takePictures((pictures) => gallery.add(pictures));
await showModel();
