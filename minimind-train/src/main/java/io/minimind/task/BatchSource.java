package io.minimind.task;

import io.minimind.data.Batch;
import io.minimind.runtime.ModelInTraining;
import java.io.IOException;

/**
 * Where the batches of a run come from, and where it is among them: a corpus in a seeded order, or
 * batches that depend on the weights, such as what the model writes itself.
 *
 * <p>A run that is resumed goes on with the very batches that it would have had, if these follow
 * from where it is, the weights, and what the source keeps with each checkpoint.
 */
public interface BatchSource {

  /** Batches of an epoch, at least 1. */
  long batches();

  /**
   * Gives batches from a place on, to the end of its epoch.
   *
   * @param from the place
   * @param model whose weights are those of the last update whenever a batch is asked for; it may
   *     be evaluated, and must not be changed
   * @throws IOException if batches cannot be read
   */
  Batches open(Place from, ModelInTraining model) throws IOException;

  /**
   * A place between two updates.
   *
   * @param epoch counted from 0
   * @param batch the next one of that epoch, in {@code [0, batches())}
   * @param state what {@link Batches#state} was there; empty at the start of a run
   */
  record Place(int epoch, long batch, byte[] state) {

    /** The start of a run. */
    public static final Place START = new Place(0, 0, new byte[0]);
  }

  /** The batches of an epoch one after the other; for use by one thread. */
  interface Batches extends AutoCloseable {

    /**
     * The next batch; several may be open at once, and each is closed when it was learnt from.
     *
     * @throws IOException if it cannot be read or made
     */
    Batch next() throws IOException;

    /**
     * What must be known, besides epoch, batch and weights, to go on from here. It is asked for
     * after every update, and written with a checkpoint.
     */
    default byte[] state() {
      return Place.START.state();
    }

    @Override
    void close() throws IOException;
  }
}
