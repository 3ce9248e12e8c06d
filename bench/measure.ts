/** One figure, with the memory copy of the same run as its yardstick. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Aim of the architecture, null when there is none. */
  readonly aim: number | null;
  /** True when more is better. */
  readonly higherIsBetter: boolean;
  /** For streams: audio bytes a second ÷ bytes a second of a plain copy in this run. */
  readonly ofMemoryCopy: number | null;
}

/** Best of several runs, in seconds: what the computer can do when nothing disturbs it. */
export function bestSeconds(runs: number, action: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    action();
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}

/** Bytes a second that this computer copies between two arrays, in blocks as large as a 10 ms period of stereo. */
export function memoryCopyBytesPerSecond(totalBytes: number): number {
  const blockBytes = 1920;
  const from = new Uint8Array(1 << 20).fill(0x5a);
  const to = new Uint8Array(1 << 20);
  const blocks = Math.floor(totalBytes / blockBytes);
  const seconds = bestSeconds(3, () => {
    let at = 0;
    for (let block = 0; block < blocks; block++) {
      to.set(from.subarray(at, at + blockBytes), at);
      at += blockBytes;
      if (at + blockBytes > to.byteLength) at = 0;
    }
  });
  return (blocks * blockBytes) / seconds;
}

/** The figures as a table for people. */
export function formatFigures(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const reached =
      figure.aim === null
        ? ''
        : (figure.higherIsBetter ? figure.value >= figure.aim : figure.value <= figure.aim)
          ? 'reached'
          : 'missed';
    return [
      figure.name,
      `${figure.value >= 100 ? Math.round(figure.value).toLocaleString('en') : figure.value.toFixed(3)} ${figure.unit}`,
      figure.aim === null ? '' : `${figure.higherIsBetter ? '≥' : '≤'} ${figure.aim.toLocaleString('en')}`,
      reached,
      figure.ofMemoryCopy === null ? '' : `${(figure.ofMemoryCopy * 100).toFixed(1)} %`,
    ];
  });
  const head = ['figure', 'value', 'aim', '', 'of a memory copy'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
