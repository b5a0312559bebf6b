package io.minimind.infer.constraint;

import io.minimind.infer.constraint.Automaton.Call;
import io.minimind.infer.constraint.Automaton.Calling;
import io.minimind.infer.constraint.Automaton.Count;
import io.minimind.infer.constraint.Automaton.Jump;
import io.minimind.infer.constraint.Automaton.Loop;
import io.minimind.infer.constraint.Automaton.Pick;
import io.minimind.infer.constraint.Automaton.Read;
import io.minimind.infer.constraint.Automaton.State;
import io.minimind.infer.constraint.Place.Stack;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An automaton made deterministic as far as texts get, and which tokens may follow in each
 * position. What was found out is kept up to a bound, and shared by all texts, so it is used by one
 * thread at a time.
 *
 * <p>How long a mask takes is bounded too. A text that fits in very many ways keeps those that come
 * to an end first, and a mask that would take very long has the tokens of one byte alone, of which
 * every text can be made.
 */
final class Positions {
  /** In ints, roughly; that is 32 MB. */
  static final int MOST_KEPT = 1 << 23;

  /** Ways in which a text may fit. */
  private static final int MOST_PLACES = 4096;

  /** Places that are worked out for one mask. */
  private static final int MOST_WORK = 1 << 19;

  /**
   * Calls that may be open. More are closed again at once, because most parsers take objects and
   * arrays that are nested up to 1,000 deep.
   */
  private static final int DEEPEST = 800;

  private final Automaton automaton;
  private final State[] states;
  private final TokenTrie trie;
  private final ShortestTexts shortest;
  private final int[] byteClasses = new int[256];
  private final int[] byteOfClass;
  private final Position[] path; // while walking the trie
  private final Map<Set<Place>, Position> known = new HashMap<>();
  private final int mostKept;
  private int kept;
  private int work;

  /**
   * @param mostKept how much to keep, such as {@link #MOST_KEPT}
   */
  Positions(Automaton automaton, TokenTrie trie, int mostKept) {
    this.mostKept = mostKept;
    this.automaton = automaton;
    this.trie = trie;
    states = automaton.states();
    shortest = ShortestTexts.of(automaton, trie);
    byteOfClass = classify();
    path = new Position[trie.longest() + 1];
  }

  TokenTrie trie() {
    return trie;
  }

  /** Puts bytes that no state tells apart into one class. */
  private int[] classify() {
    BitSet firsts = new BitSet();
    firsts.set(0);
    for (State state : states) {
      if (state instanceof Read read) {
        int[] edges = read.edges();
        for (int edge = 0; edge < edges.length; edge += 3) {
          firsts.set(edges[edge]);
          firsts.set(edges[edge + 1] + 1);
        }
      }
    }
    firsts.clear(256);
    int last = -1;
    for (int b = 0; b < 256; b++) {
      last += firsts.get(b) ? 1 : 0;
      byteClasses[b] = last;
    }
    return firsts.stream().toArray();
  }

  /** Before the first token. */
  synchronized Position start() {
    Set<Place> places = new HashSet<>();
    add(new Place(automaton.start(), null), places);
    return position(places);
  }

  /** After a token, perhaps dead. */
  synchronized Position after(Position position, int tokenId) {
    if (tokenId >= trie.vocabularySize() || trie.bytes(tokenId).length == 0) {
      return position(Set.of());
    }
    Position reached = position;
    for (byte b : trie.bytes(tokenId)) {
      reached = step(reached, b & 0xFF);
    }
    return reached;
  }

  /**
   * Marks the tokens after which the text can be ended.
   *
   * @param most tokens that may be left to do so
   */
  synchronized void allow(Position position, int most, BitSet allowed) {
    Position near = near(position);
    if (near.allowed == null) {
      BitSet found = new BitSet(trie.vocabularySize());
      near.mostAfter = walk(near, ShortestTexts.IMPOSSIBLE - 1, found);
      near.allowed = found;
      kept += trie.vocabularySize() / Integer.SIZE;
    }
    if (near.mostAfter <= most) {
      allowed.or(near.allowed);
    } else {
      walk(position, most, allowed);
    }
  }

  /** Where the same tokens may follow, though counts are lower. */
  private Position near(Position position) {
    if (position.near == null) {
      Set<Place> places = new HashSet<>();
      boolean same = true;
      for (Place place : position.places) {
        Stack near = place.stack() == null ? null : place.stack().near;
        same &= near == place.stack();
        places.add(near == place.stack() ? place : new Place(place.state(), near));
      }
      position.near = same ? position : position(places);
    }
    return position.near;
  }

  /** Returns the most tokens that suffice after one of those allowed. */
  private int walk(Position position, int most, BitSet allowed) {
    work = 0;
    int found = walk(position, most, trie.longest(), allowed);
    if (found < 0) {
      allowed.clear();
      work = Integer.MIN_VALUE;
      found = walk(position, most, 1, allowed);
    }
    return found;
  }

  private int walk(Position position, int most, int longest, BitSet allowed) {
    int mostFound = 0;
    path[0] = position;
    for (int node = 0; node < trie.size(); ) {
      int depth = trie.depth(node);
      Position reached = step(path[depth], trie.label(node));
      if (work > MOST_WORK) {
        return -1;
      }
      if (reached.isDead()) {
        node = trie.end(node);
        continue;
      }
      path[depth + 1] = reached;
      if (reached.tokens <= most
          && (reached.depth <= DEEPEST || reached.tokens < position.tokens)) {
        for (int place = trie.firstToken(node); place < trie.lastToken(node); place++) {
          allowed.set(trie.token(place));
          mostFound = Math.max(mostFound, reached.tokens);
        }
      }
      node = depth + 1 == longest ? trie.end(node) : node + 1;
    }
    return mostFound;
  }

  private Position step(Position position, int value) {
    int byteClass = byteClasses[value];
    Position next = position.next[byteClass];
    if (next == null) {
      next = read(position, byteOfClass[byteClass]);
      position.next[byteClass] = next;
    }
    return next;
  }

  private Position read(Position position, int value) {
    Set<Place> places = new HashSet<>();
    work += position.places.size();
    for (Place place : position.places) {
      if (states[place.state()] instanceof Read read) {
        int[] edges = read.edges();
        Stack stack = place.stack();
        for (int edge = 0; edge < edges.length; edge += 3) {
          if (edges[edge] <= value && value <= edges[edge + 1]) {
            if (read.begins() && stack == place.stack()) {
              stack = counted(stack);
            }
            if (stack != null || !read.begins()) {
              add(new Place(edges[edge + 2], stack), places);
            }
          }
        }
      }
    }
    return position(places);
  }

  /** After one more character. */
  private Stack counted(Stack stack) {
    Count count = (Count) stack.calling;
    boolean counts = count.most() != Expression.UNBOUNDED || stack.least < count.least();
    return counts ? with(stack, stack.least + 1, stack.most + 1, null) : stack;
  }

  private Stack with(Stack stack, int least, int most, BitSet picked) {
    return new Stack(
        stack.state,
        stack.calling,
        least,
        most,
        picked,
        stack.outer,
        behind(stack.calling, stack.state, most, picked, stack.outer),
        trie.longest());
  }

  /** Adds the places that are reached without a byte and from which there is a way to the end. */
  private void add(Place first, Set<Place> places) {
    if (states[first.state()] instanceof Read) {
      if (tokens(first) < ShortestTexts.IMPOSSIBLE) {
        places.add(first);
      }
      return;
    }
    Set<Place> seen = new HashSet<>();
    Deque<Place> pending = new ArrayDeque<>();
    pending.add(first);
    while (!pending.isEmpty()) {
      Place place = pending.remove();
      if (tokens(place) >= ShortestTexts.IMPOSSIBLE || !seen.add(place)) {
        continue;
      }
      work++;
      Stack stack = place.stack();
      State state = states[place.state()];
      if (place.state() == Automaton.END) {
        if (stack == null) {
          places.add(place);
        } else {
          goOn(stack, pending);
        }
      } else if (state instanceof Jump jump) {
        for (int target : jump.targets()) {
          pending.add(new Place(target, stack));
        }
      } else if (state instanceof Read) {
        places.add(place);
      } else {
        begin(place.state(), (Calling) state, stack, pending);
      }
    }
  }

  private void begin(int number, Calling calling, Stack stack, Deque<Place> pending) {
    if (calling instanceof Call call) {
      // A call that is the last thing needs no way back, so that lists do not grow a stack.
      Stack inside = call.next() == Automaton.END ? stack : pushed(number, calling, 1, null, stack);
      pending.add(new Place(call.called(), inside));
    } else if (calling instanceof Loop loop) {
      if (loop.least() == 0) {
        pending.add(new Place(loop.next(), stack));
      }
      pending.add(new Place(loop.called(), pushed(number, calling, 1, null, stack)));
    } else if (calling instanceof Count count) {
      pending.add(new Place(count.called(), pushed(number, calling, 0, null, stack)));
    } else if (calling instanceof Pick pick) {
      if (pick.least() == 0) {
        pending.add(new Place(pick.next(), stack));
      }
      for (int i = 0; i < pick.first().length && pick.most() > 0; i++) {
        BitSet picked = new BitSet();
        picked.set(i);
        pending.add(new Place(pick.first()[i], pushed(number, calling, 1, picked, stack)));
      }
    }
  }

  private Stack pushed(int state, Calling calling, int count, BitSet picked, Stack outer) {
    int tokens = behind(calling, state, count, picked, outer);
    return new Stack(state, calling, count, count, picked, outer, tokens, trie.longest());
  }

  /** After a part has ended. */
  private void goOn(Stack stack, Deque<Place> pending) {
    Calling calling = stack.calling;
    if (calling instanceof Loop loop) {
      if (stack.most >= loop.least()) {
        pending.add(new Place(loop.next(), stack.outer));
      }
      if (stack.least < loop.most()) {
        int most = Math.min(stack.most + 1, loop.most());
        pending.add(new Place(loop.called(), with(stack, stack.least + 1, most, null)));
      }
    } else if (calling instanceof Count count) {
      if (stack.least >= count.least() && stack.least <= count.most()) {
        pending.add(new Place(count.next(), stack.outer));
      }
    } else if (calling instanceof Pick pick) {
      if (stack.least >= pick.least()) {
        pending.add(new Place(pick.next(), stack.outer));
      }
      for (int i = 0; i < pick.later().length && stack.least < pick.most(); i++) {
        if (!stack.picked.get(i)) {
          BitSet picked = (BitSet) stack.picked.clone();
          picked.set(i);
          int count = stack.least + 1;
          pending.add(new Place(pick.later()[i], with(stack, count, count, picked)));
        }
      }
    } else {
      pending.add(new Place(calling.next(), stack.outer));
    }
  }

  /** Tokens that suffice from the end of a part to the end of the text. */
  private int behind(Calling calling, int state, int most, BitSet picked, Stack outer) {
    int more = 0;
    if (calling instanceof Loop loop) {
      more = ShortestTexts.times(Math.max(0, loop.least() - most), shortest.tokens(loop.called()));
    } else if (calling instanceof Pick pick && most < pick.least()) {
      int left = 0;
      for (int i = 0; i < pick.later().length; i++) {
        left +=
            !picked.get(i) && shortest.tokens(pick.later()[i]) < ShortestTexts.IMPOSSIBLE ? 1 : 0;
      }
      int needed = pick.least() - most;
      more =
          left < needed
              ? ShortestTexts.IMPOSSIBLE
              : ShortestTexts.times(needed, shortest.dearest(pick));
    }
    int after = ShortestTexts.sum(shortest.tokens(calling.next()), more);
    return outer == null ? after : ShortestTexts.sum(after, outer.tokens);
  }

  private int tokens(Place place) {
    Stack stack = place.stack();
    int own = shortest.tokens(place.state());
    if (stack != null
        && stack.calling instanceof Count count
        && states[place.state()] instanceof Read read) {
      int characters = shortest.counted(stack.state, count, read.ahead(), stack.least);
      own = ShortestTexts.sum(characters, shortest.character(place.state()));
    }
    return stack == null ? own : ShortestTexts.sum(own, stack.tokens);
  }

  /** Positions that are in use go on without what was found out about them. */
  private void forget() {
    for (Position position : known.values()) {
      Arrays.fill(position.next, null);
      position.allowed = null;
      position.near = null;
    }
    known.clear();
    kept = 0;
  }

  private Position position(Set<Place> found) {
    Set<Place> places = found.size() < 2 ? found : merged(found);
    Position position = known.get(places);
    if (position == null) {
      if (kept > mostKept) {
        forget();
      }
      boolean mayEnd = places.contains(new Place(Automaton.END, null));
      int tokens = places.stream().mapToInt(this::tokens).min().orElse(ShortestTexts.IMPOSSIBLE);
      position = new Position(Set.copyOf(places), mayEnd, tokens, byteOfClass.length);
      known.put(position.places, position);
      kept += byteOfClass.length + 32 * (1 + places.size());
    }
    return position;
  }

  /** Makes one place of those that differ in a count, where one of them allows all. */
  private Set<Place> merged(Set<Place> places) {
    Map<Place, List<Stack>> counts = new HashMap<>();
    Set<Place> result = new HashSet<>();
    for (Place place : places) {
      if (place.stack() != null && place.stack().calling instanceof Loop) {
        // The same for all that are like it.
        Stack stack = place.stack();
        Place key = new Place(place.state(), with(stack, 0, 0, null));
        counts.computeIfAbsent(key, k -> new ArrayList<>()).add(stack);
      } else {
        result.add(place);
      }
    }
    counts.forEach(
        (key, stacks) ->
            merged(stacks).forEach(stack -> result.add(new Place(key.state(), stack))));
    if (result.size() <= MOST_PLACES) {
      return result;
    }
    return Set.copyOf(
        result.stream().sorted(Comparator.comparingInt(this::tokens)).limit(MOST_PLACES).toList());
  }

  private List<Stack> merged(List<Stack> stacks) {
    if (stacks.size() == 1 && stacks.get(0).least == stacks.get(0).most) {
      return stacks;
    }
    stacks.sort(Comparator.comparingInt(stack -> stack.least));
    List<Stack> result = new ArrayList<>();
    for (Stack stack : stacks) {
      int needed = Math.max(1, ((Loop) stack.calling).least());
      // Beyond the least count, a lower one allows more.
      int most = Math.min(stack.most, Math.max(stack.least, needed));
      Stack last = result.isEmpty() ? null : result.get(result.size() - 1);
      if (last == null || stack.least - 1 > last.most && last.most < needed) {
        result.add(most == stack.most ? stack : with(stack, stack.least, most, null));
      } else if (most > last.most && last.most < needed) {
        result.set(result.size() - 1, with(last, last.least, most, null));
      }
    }
    return result;
  }
}
