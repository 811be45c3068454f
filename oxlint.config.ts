import { defineConfig, type OxlintOverride } from "oxlint";

const ACTS = ["backup", "restore", "verify", "prune"];

/**
 * The rooms of src/, from the top floor to the ground: a file imports from its own room and from floors below. Rooms of one
 * floor do not import each other.
 */
const FLOORS: { rooms: string[]; why: string }[] = [
  { rooms: ["functions"], why: "functions/ registers with the host; nothing imports it." },
  {
    rooms: ["orchestration", "api"],
    why: "The acts know neither who calls them nor who starts them: so they run, and are tested, without a host.",
  },
  {
    rooms: ACTS,
    why: "No act imports another, and nothing below knows of them: what two of them need has a room of its own.",
  },
  { rooms: ["store"], why: "A store finds and keeps contents; what lies below it knows no layout." },
  { rooms: ["manifest"], why: "A manifest is read from the ledger, which knows nothing of trees." },
  { rooms: ["ledger"], why: "The ledger is kept in the account, which knows nothing of runs." },
  { rooms: ["telemetry"], why: "The account knows nothing of who counts its requests." },
  { rooms: ["storage"], why: "The disk knows nothing of the account." },
  { rooms: ["files"], why: "Words do no I/O." },
  { rooms: ["model"], why: "" },
];

const OUTSIDE = [
  { group: ["**/local/**"], message: "The app runs on any host; it knows nothing of the local one." },
  { group: ["**/cli/**", "**/client/**"], message: "The app knows nothing of its clients." },
];

const NO_FUNCTIONS = {
  group: ["@azure/functions", "durable-functions", "**/services.ts"],
  message: "The domain knows nothing of Functions: it is called by functions/, and tested without a host.",
};

const ONLY_THE_SEAM = {
  group: [
    "**/store/**",
    ...["store", "storing", "fetching", "pruning", "open-store"].map((file) => `!**/store/${file}.ts`),
  ],
  message: "An act knows the interface of a store, and no layout behind it: each layout does for every act.",
};

const NO_SETTINGS = {
  group: ["**/settings.ts", "**/services.ts", "@azure/*"],
  message: "Words and the disk know nothing of settings or the account.",
};

const NOT_THE_APP = {
  group: ["**/src/**", "!**/src/model/{path,safe-path}.ts"],
  message:
    "The local host and the clients are built apart from the app: they know it by its HTTP API alone, and share only the form of a path.",
};

/** Node 22, on which the app runs too, finds few of the names that a CommonJS package exports. */
const NAMES_OF_FUNCTIONS = {
  name: "@azure/functions",
  importNames: ["HttpResponse", "HttpRequest", "InvocationContext"],
  allowTypeImports: true,
  message: "Node 22 does not find this name of a CommonJS package: import the package's default instead.",
};

const REPLAYED =
  "An orchestrator is replayed: use context.df (currentUtcDateTime, newGuid, createTimer), or an activity.";

type Rules = NonNullable<OxlintOverride["rules"]>;

const forbid = (patterns: { group: string[]; message: string }[]): Rules => ({
  "no-restricted-imports": ["error", { paths: [NAMES_OF_FUNCTIONS], patterns }],
});

/** What a room may not import: the floors above it, and the other rooms of its own. */
function notFrom(room: string, floor: number) {
  const above = FLOORS.slice(0, floor + 1).map(({ rooms, why }) => ({
    group: rooms.filter((other) => other !== room).map((other) => `**/${other}/**`),
    message: why,
  }));
  return above.filter(({ group }) => group.length > 0);
}

const roomRules = FLOORS.flatMap(({ rooms }, floor) =>
  rooms.map((room) => ({
    files: [`src/${room}/**/*.ts`],
    rules: forbid([
      ...OUTSIDE,
      ...notFrom(room, floor),
      ...(floor >= 2 && room !== "telemetry" ? [NO_FUNCTIONS] : []),
      ...(ACTS.includes(room) ? [ONLY_THE_SEAM] : []),
      ...(["files", "model"].includes(room) ? [NO_SETTINGS] : []),
    ]),
  })),
);

export default defineConfig({
  plugins: ["typescript", "import", "unicorn", "promise", "node", "vitest"],
  categories: { correctness: "error" },
  rules: {
    "typescript/no-floating-promises": "error",
    "typescript/no-misused-promises": "error",
    "typescript/await-thenable": "error",
    "typescript/return-await": ["error", "error-handling-correctness-only"],
    "typescript/no-explicit-any": "error",
    "typescript/switch-exhaustiveness-check": "error",
    "typescript/consistent-type-imports": "error",
    "import/no-cycle": ["error", { ignoreTypes: false }],
    "vitest/expect-expect": ["error", { assertFunctionNames: ["expect", "expect*", "fc.assert"] }],
    "vitest/valid-expect": ["error", { maxArgs: 2 }],
    "no-console": "off",
    eqeqeq: "error",
  },
  ignorePatterns: ["dist", ".local", "test/fixtures"],
  // Of two overrides that set one rule for a file the last one counts: they are not merged.
  overrides: [
    { files: ["src/**/*.ts"], rules: forbid(OUTSIDE) },
    ...roomRules,
    {
      files: [
        "src/orchestration/**/*.ts",
        "src/functions/{backupSiteContent,restoreSiteContent,verifyBackup,pruneBackups,largeFiles}.ts",
      ],
      rules: {
        ...forbid([
          ...OUTSIDE,
          {
            group: ["node:*", "@azure/*", "**/services.ts", "**/settings.ts", "**/storage/**"],
            message: "An orchestrator does no I/O: call an activity.",
          },
        ]),
        "no-restricted-globals": [
          "error",
          ...["process", "Date", "performance", "fetch", "setTimeout", "setInterval", "crypto"].map(
            (name) => ({
              name,
              message: REPLAYED,
            }),
          ),
        ],
        "no-restricted-properties": ["error", { object: "Math", property: "random", message: REPLAYED }],
      },
    },
    { files: ["local/**/*.ts", "cli/**/*.ts"], rules: forbid([NOT_THE_APP]) },
    {
      files: ["client/**/*.ts"],
      rules: forbid([
        NOT_THE_APP,
        {
          group: ["**/cli/**", "**/dashboard/**", "**/local/**", "node:*"],
          message: "What the command line and the dashboard share runs in a browser, too.",
        },
      ]),
    },
    {
      files: ["dashboard/**/*.ts"],
      rules: forbid([
        NOT_THE_APP,
        { group: ["**/cli/**"], message: "What the dashboard shares with the command line is in client/." },
      ]),
    },
  ],
});
