package io.minimind.train;

import io.minimind.data.EncodingProgress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Several listeners as one: each is told everything. */
record Listeners(List<TrainingListener> all) implements TrainingListener {

  private interface Event {
    void tell(TrainingListener listener) throws IOException;
  }

  Listeners {
    all = List.copyOf(all);
  }

  Listeners and(TrainingListener... more) {
    List<TrainingListener> both = new ArrayList<>(all);
    both.addAll(Arrays.asList(more));
    return new Listeners(both);
  }

  private void tell(Event event) throws IOException {
    for (TrainingListener listener : all) {
      event.tell(listener);
    }
  }

  /** Tells of the encoding of a corpus; what a listener throws comes out unchecked. */
  EncodingProgress encodingOf(String corpus) {
    return new EncodingProgress() {
      @Override
      public void update(long bytesRead, long bytesTotal, long rows, long tokens) {
        Encoding encoding = new Encoding(corpus, bytesRead, bytesTotal, rows, tokens);
        tellUnchecked(listener -> listener.encoding(encoding));
      }

      @Override
      public void waiting() {
        tellUnchecked(listener -> listener.waiting(corpus));
      }

      @Override
      public void rebuilding(String reason) {
        tellUnchecked(listener -> listener.rebuilding(corpus, reason));
      }
    };
  }

  void tellPreparing(String corpus, long done, long total) {
    tellUnchecked(listener -> listener.preparing(corpus, done, total));
  }

  private void tellUnchecked(Event event) {
    try {
      tell(event);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void encoded(Corpus corpus) throws IOException {
    tell(listener -> listener.encoded(corpus));
  }

  @Override
  public void started(TrainingSettings settings, long batchesPerEpoch, TrainingState from)
      throws IOException {
    tell(listener -> listener.started(settings, batchesPerEpoch, from));
  }

  @Override
  public void updated(Update update) throws IOException {
    tell(listener -> listener.updated(update));
  }

  @Override
  public void validated(TrainingState state, Map<String, Double> metrics) throws IOException {
    tell(listener -> listener.validated(state, metrics));
  }

  @Override
  public void saved(TrainingState state, Path checkpoint) throws IOException {
    tell(listener -> listener.saved(state, checkpoint));
  }

  @Override
  public void exported(TrainingState state, Path model) throws IOException {
    tell(listener -> listener.exported(state, model));
  }

  @Override
  public void sampled(TrainingState state, List<Sample> samples) throws IOException {
    tell(listener -> listener.sampled(state, samples));
  }

  @Override
  public void finished(TrainingState state, boolean complete) throws IOException {
    tell(listener -> listener.finished(state, complete));
  }
}
