// Builds the pages into the package that serves them. Every file but index.html has its content's hash in its name, and
// lies there compressed, too, as browsers ask for it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const BUILT = "../control_api/pages/built";
const COMPRESSIBLE = /\.(js|css|svg|txt)$/;

function compressed(): Plugin {
  return {
    name: "compressed",
    closeBundle() {
      const folder = join(import.meta.dirname, BUILT, "assets");
      for (const name of readdirSync(folder)) {
        if (!COMPRESSIBLE.test(name)) continue;
        const content = readFileSync(join(folder, name));
        const quality = content.length > 400_000 ? 9 : 11; // the best takes seconds on a large file
        const options = { params: { [constants.BROTLI_PARAM_QUALITY]: quality } };
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content, options));
        writeFileSync(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  build: {
    outDir: BUILT,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [compressed()],
});
