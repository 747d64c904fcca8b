export { persistFile } from './persist-file.js';
