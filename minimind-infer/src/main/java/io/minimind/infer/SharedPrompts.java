package io.minimind.infer;

import java.nio.IntBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Computes a prompt once for all answers that begin with it, where several of them are asked for
 * one after the other. What was computed stays until the next prompt, or the end: whoever copied it
 * still reads what follows.
 */
final class SharedPrompts implements Buffers, AutoCloseable {
  private final DecoderPool pool;
  private final Buffers others;
  private final Map<IntBuffer, Integer> left = new HashMap<>(); // answers by their prompt
  private IntBuffer shared; // null unless it is computed
  private DecoderSession text; // of that prompt

  /**
   * @param others for what is there once
   * @param prompts of all answers
   */
  SharedPrompts(DecoderPool pool, Buffers others, List<int[]> prompts) {
    this.pool = pool;
    this.others = others;
    prompts.forEach(prompt -> left.merge(IntBuffer.wrap(prompt.clone()), 1, Integer::sum));
  }

  @Override
  public DecoderSession acquire(int[] promptIds, int length) {
    IntBuffer prompt = IntBuffer.wrap(promptIds);
    boolean isLast = left.merge(prompt, -1, Integer::sum) == 0;
    if (!prompt.equals(shared)) {
      if (isLast) {
        return others.acquire(promptIds, length);
      }
      close();
      text = pool.acquire(promptIds.length);
      pool.append(text, promptIds);
      shared = prompt;
    }
    DecoderSession answer = pool.acquire(length);
    try {
      answer.takeAll(text);
      return answer;
    } catch (RuntimeException | Error e) {
      pool.release(answer);
      throw e;
    }
  }

  @Override
  public void release(DecoderSession ended) {
    others.release(ended);
  }

  @Override
  public void close() {
    if (text != null) {
      pool.release(text);
      text = null;
      shared = null;
    }
  }
}
