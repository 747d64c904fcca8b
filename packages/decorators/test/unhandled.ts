export { failOnUnhandledRejections } from '../../../tools/testing/unhandled-rejections.js';
