package io.minimind.server;

import io.minimind.infer.ContextLengthException;
import io.minimind.infer.FinishReason;
import io.minimind.infer.Reply;
import io.minimind.infer.ReplyPart;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Executor;

/**
 * Writes the answers to a request, each on a thread that does nothing but take what the model
 * computes. If one fails, or the client goes away, the others are cancelled.
 */
final class Answering {
  /** Begins an answer. */
  interface Beginning {
    Source begin();
  }

  private final ServedModel model;
  private final ServerMetrics metrics;
  private final AnswerForm form;
  private final Reply[] replies; // guarded by this
  private final List<Source> running = new ArrayList<>(); // guarded by this
  private int left; // guarded by this
  private boolean over; // guarded by this: failed, or nobody listens

  private Answering(ServedModel model, ServerMetrics metrics, AnswerForm form, int answers) {
    this.model = model;
    this.metrics = metrics;
    this.form = form;
    replies = new Reply[answers];
    left = answers;
  }

  /**
   * Writes the answers, one of them on this thread, and returns when that one has ended.
   *
   * @throws ApiError if there is no room for them
   */
  static void start(
      Exchange exchange,
      ServedModel model,
      Server server,
      AnswerForm form,
      List<Beginning> beginnings) {
    model.enter(beginnings.size());
    Answering answering = new Answering(model, server.metrics(), form, beginnings.size());
    exchange.whenGone(answering::cancel);
    int last = beginnings.size() - 1;
    for (int choice = 0; choice < last; choice++) {
      int which = choice;
      server.threads().execute(() -> answering.answer(which, beginnings.get(which)));
    }
    // This thread is one of them: handing over to another would only delay the first token.
    answering.answer(last, beginnings.get(last));
  }

  /** What all answers share. */
  interface Server {
    ServerMetrics metrics();

    Executor threads();
  }

  private void answer(int choice, Beginning beginning) {
    long start = System.nanoTime();
    try {
      write(choice, beginning, start);
    } catch (ContextLengthException e) {
      fail(ApiError.tooLong(e.getMessage()));
    } catch (ApiError e) {
      fail(e);
    } catch (IllegalArgumentException e) {
      fail(ApiError.invalid(e.getMessage()));
    } catch (IllegalStateException e) {
      fail(ApiError.failed(e.getMessage()));
    } catch (RuntimeException | Error e) {
      System.getLogger("io.minimind.server").log(System.Logger.Level.ERROR, "An answer failed", e);
      fail(ApiError.failed("The server failed; its log says why."));
    } finally {
      model.leave((System.nanoTime() - start) / 1e9);
    }
  }

  private void write(int choice, Beginning beginning, long start) {
    try (Source source = beginning.begin()) {
      if (!begun(source)) {
        return;
      }
      boolean first = true;
      for (Iterator<ReplyPart> parts = source.parts(); parts.hasNext(); first = false) {
        ReplyPart part = parts.next();
        if (first) {
          metrics.firstToken(model, System.nanoTime() - start);
        }
        synchronized (this) {
          if (!over) {
            form.part(choice, part, source.logProbabilities());
          }
        }
      }
      ended(choice, source.result());
    }
  }

  private synchronized boolean begun(Source source) {
    if (over) {
      return false;
    }
    running.add(source);
    return true;
  }

  private synchronized void ended(int choice, Reply reply) {
    metrics.answered(model, reply.generation());
    if (over) {
      return;
    }
    if (reply.generation().finishReason() == FinishReason.CANCELLED) {
      fail(ApiError.closing()); // nobody else cancels: the model was closed
      return;
    }
    replies[choice] = reply;
    form.end(choice, reply);
    if (--left == 0) {
      over = true;
      form.complete(Arrays.asList(replies));
    }
  }

  private synchronized void fail(ApiError error) {
    if (!over) {
      over = true;
      running.forEach(Source::cancel);
      form.fail(error);
    }
  }

  private synchronized void cancel() {
    if (!over) {
      over = true;
      metrics.cancelled(model);
      running.forEach(Source::cancel);
      form.fail(ApiError.closing()); // to let go of the exchange
    }
  }
}
