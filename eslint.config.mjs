import { defineConfig } from 'eslint/config';
import baseConfig from './.config/eslint.config.mjs';

export default defineConfig([
  { ignores: ['.config/', 'coverage/', '**/dist/', 'node_modules/', 'pkg/', 'playwright-report/', 'test-results/'] },
  ...baseConfig,
  // Without a pattern of its own ESLint passes over TypeScript outside of src.
  { files: ['tests/**/*.{ts,tsx}', '*.ts'] },
]);
