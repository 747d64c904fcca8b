import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import { InspectorPage } from './inspector-page.js';
import { beginToLook } from './inspector-model.js';
import { connect } from './model.js';
import { PlaygroundPage } from './playground-page.js';
import { followTheme } from './theme.js';
import './styles/base.css';
import './styles/controls.css';
import './styles/parts.css';

followTheme();
const root = document.getElementById('app') as HTMLElement;
if (document.documentElement.dataset.mode === 'inspector') {
  beginToLook();
  render(<InspectorPage />, root);
} else {
  connect();
  render(<PlaygroundPage />, root);
}
