import './.config/jest-setup';

// Grafana's Combobox measures its text and watches what is in view; a document
// without a screen can do neither.
HTMLCanvasElement.prototype.getContext = () => ({ measureText: () => ({ width: 0 }) });

global.IntersectionObserver = class {
  observe() {}
  unobserve() {}
  disconnect() {}
};
