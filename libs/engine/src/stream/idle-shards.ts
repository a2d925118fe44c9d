/** How many shards of this process are idle, whatever their mapping: a poller that holds many of them reads each more slowly. */
export class IdleShards {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** One shard's say in it: call it with whether the shard is idle now, as often as you like, and with false when its run ends. */
  voice(): (isIdle: boolean) => void {
    let wasIdle = false;
    return (isIdle) => {
      this.#count += Number(isIdle) - Number(wasIdle);
      wasIdle = isIdle;
    };
  }
}
