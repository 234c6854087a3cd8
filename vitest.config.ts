import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^tslibmc$/, replacement: source("./src/index.ts") },
      { find: /^tslibmc\/discovery$/, replacement: source("./src/discovery/index.ts") },
      { find: /^tslibmc\/migration$/, replacement: source("./src/migration/index.ts") },
      { find: /^tslibmc\/testing$/, replacement: source("./src/testing/index.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    isolate: false,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    coverage: { include: ["src/**/*.ts"], reporter: ["text", "html"] },
    typecheck: {
      enabled: true,
      include: ["test/types/**/*.test-d.ts"],
      ignoreSourceErrors: true,
    },
  },
});
