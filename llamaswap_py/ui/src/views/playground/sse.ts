// Server-sent events out of text that comes in pieces of any size: what stands in their `data`.

export class EventReader {
  private rest = "";
  private data: string[] = [];

  /** The events that this piece completes. */
  take(piece: string): string[] {
    const lines = (this.rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop()!;
    const found: string[] = [];
    for (const line of lines) {
      if (line.startsWith("data:")) this.data.push(line.slice(line[5] === " " ? 6 : 5));
      else if (line === "" && this.data.length) found.push(this.data.splice(0).join("\n"));
    }
    return found;
  }

  /** What was still open when the stream ended. */
  end(): string[] {
    return this.take("\n\n");
  }
}
