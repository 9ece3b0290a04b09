import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// Relative, so that the preview of a pull request works in its folder.
export default defineConfig({ base: './', plugins: [react()] });
