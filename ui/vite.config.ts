// Builds the app into ui/dist. Relative addresses: the same files are served by the daemon at its root and by
// DSM below a folder.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // The Content-Security-Policy has no place for data: scripts, and one rule for all is simpler.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
  },
  // `npx vite ui` beside a running daemon.
  server: { proxy: { '/api': 'http://127.0.0.1:11180' } },
});
