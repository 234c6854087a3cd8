import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** They take over clocks, chance, sockets or channels of their whole process, which is theirs alone. */
const ALONE = ["test/simulation/**/*.test.ts", "test/**/*.clock.test.ts", "test/readme.test.ts"];

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
    testTimeout: 45_000, // for what hangs: a starved machine takes long for what is quick
    hookTimeout: 60_000,
    slowTestThreshold: 5_000, // many wait for a server's clock, or on purpose
    coverage: { include: ["src/**/*.ts"], reporter: ["text", "html"] },
    projects: [
      {
        extends: true,
        test: {
          name: "tslibmc",
          include: ["test/**/*.test.ts"],
          exclude: ALONE,
          isolate: false,
          typecheck: {
            enabled: true,
            include: ["test/types/**/*.test-d.ts"],
            ignoreSourceErrors: true,
          },
        },
      },
      { extends: true, test: { name: "alone", include: ALONE, isolate: true } },
    ],
  },
});
