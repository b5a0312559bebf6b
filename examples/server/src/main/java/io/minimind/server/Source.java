package io.minimind.server;

import io.minimind.chat.Message;
import io.minimind.infer.Reply;
import io.minimind.infer.ReplyPart;
import io.minimind.infer.ReplyStream;
import io.minimind.infer.TextStream;
import io.minimind.infer.TokenLogProbability;
import java.util.Iterator;
import java.util.List;

/** An answer that is being written: of a conversation, or the continuation of a text. */
interface Source extends AutoCloseable {
  Iterator<ReplyPart> parts();

  /** Of the tokens of the last part. */
  List<TokenLogProbability> logProbabilities();

  void cancel();

  Reply result();

  @Override
  void close();

  static Source of(ReplyStream stream) {
    Iterator<ReplyPart> parts = stream.iterator();
    return new Source() {
      @Override
      public Iterator<ReplyPart> parts() {
        return parts;
      }

      @Override
      public List<TokenLogProbability> logProbabilities() {
        return stream.logProbabilities();
      }

      @Override
      public void cancel() {
        stream.cancel();
      }

      @Override
      public Reply result() {
        return stream.result();
      }

      @Override
      public void close() {
        stream.close();
      }
    };
  }

  static Source of(TextStream stream) {
    Iterator<String> pieces = stream.iterator();
    return new Source() {
      @Override
      public Iterator<ReplyPart> parts() {
        return new Iterator<>() {
          @Override
          public boolean hasNext() {
            return pieces.hasNext();
          }

          @Override
          public ReplyPart next() {
            return new ReplyPart.Text(pieces.next());
          }
        };
      }

      @Override
      public List<TokenLogProbability> logProbabilities() {
        return stream.logProbabilities();
      }

      @Override
      public void cancel() {
        stream.cancel();
      }

      @Override
      public Reply result() {
        var generation = stream.result();
        return new Reply(Message.assistant(generation.text()), generation);
      }

      @Override
      public void close() {
        stream.close();
      }
    };
  }
}
