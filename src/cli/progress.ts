import cliProgress from 'cli-progress';

/** `83.25` → `1:23`. */
export function clockText(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

/** A progress bar on standard error; nothing when that is no terminal, so that logs stay clean. */
export class Progress {
  readonly #bar: cliProgress.SingleBar | null;
  readonly #totalSeconds: number;

  constructor(label: string, totalSeconds: number, wanted: boolean) {
    this.#totalSeconds = totalSeconds;
    if (!wanted || !process.stderr.isTTY || !(totalSeconds > 0)) {
      this.#bar = null;
      return;
    }
    this.#bar = new cliProgress.SingleBar(
      {
        format: `${label} {bar} {percentage}% | {time} of ${clockText(totalSeconds)}`,
        stream: process.stderr,
        hideCursor: true,
        barsize: 30,
      },
      cliProgress.Presets.shades_classic,
    );
    this.#bar.start(totalSeconds, 0, { time: clockText(0) });
  }

  update(seconds: number): void {
    this.#bar?.update(Math.min(seconds, this.#totalSeconds), {
      time: clockText(Math.min(seconds, this.#totalSeconds)),
    });
  }

  stop(): void {
    this.#bar?.stop();
  }
}

/** A progress bar over a number of things, each with a name. */
export class CountProgress {
  readonly #label: string;
  readonly #wanted: boolean;
  #bar: cliProgress.SingleBar | null = null;

  constructor(label: string, wanted: boolean) {
    this.#label = label;
    this.#wanted = wanted && process.stderr.isTTY === true;
  }

  update(done: number, total: number, name: string): void {
    if (!this.#wanted) return;
    if (!this.#bar) {
      this.#bar = new cliProgress.SingleBar(
        {
          format: `${this.#label} {bar} {value} of {total} | {name}`,
          stream: process.stderr,
          hideCursor: true,
          barsize: 30,
        },
        cliProgress.Presets.shades_classic,
      );
      this.#bar.start(total, done, { name });
      return;
    }
    this.#bar.setTotal(total);
    this.#bar.update(done, { name });
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = null;
  }
}
