import './.config/jest-setup';
import { TextDecoder, TextEncoder } from 'util';
import { MessageChannel } from 'worker_threads';
import { version } from 'react';

// Grafana's Combobox measures its text and watches what is in view; a document
// without a screen can do neither.
HTMLCanvasElement.prototype.getContext = () => ({ measureText: () => ({ width: 0 }) });

global.IntersectionObserver = class {
  observe() {}
  unobserve() {}
  disconnect() {}
};

// React 19 draws texts on a server, too, for which jsdom lacks what browsers have.
if (!version.startsWith('18.')) {
  Object.assign(globalThis, { MessageChannel, TextDecoder, TextEncoder });
}
