import manifest from '../package.json' with { type: 'json' };

/** Version of Wherry, as `wherry version` and `build_info` tell it. */
export const VERSION: string = manifest.version;
