"""The signal: from an amplifier or a recording to windows, in the order of the data. Knows nothing of Redis.

What comes in
    ``montage``        which channels there are; binding a stream's columns to them, in microvolts
    ``source``         where a session's samples come from, behind one interface; ``items`` are what it hands over
    ``discovery``      streams on the network; binding the one that was meant, refusing ambiguity
    ``inlet``          an open stream: raw samples, raw stamps, clock offsets
    ``link``           the states of a live source, as a table
    ``stream_source``  a live stream as a source: found, watched, lost and found again
    ``rediscovery``    the very stream that was lost, or words why what is there is not it
    ``seeker``         finding and opening in a thread of its own
    ``marker_feed``    the markers beside a signal, never in its way
    ``clock``          the time, handed in
    ``clock_map``      moments of an earlier life on this life's clock
    ``sender_clock``   where a sender's stamps lie on this machine's clock, and so how old a sample is
    ``timing``         how a stream's time runs, for people; ``recorded_timing`` from a folder
    ``recording``      any recording read into memory; ``formats`` are its files
    ``reading``        what the user says about a recording that leaves it open
    ``resampling``     a recording at another rate, brought to the montage's
    ``inspection``     a recording looked at without scoring it

What is decided about it
    ``stamps``         gaps, clock resets and doubles, from stamps and counters
    ``counter``        what a stream's sample counter says is missing
    ``repeats``        which stamps came already
    ``jitter``         how far a stamp may lie off before it means loss
    ``offsets``        where the grid lies on the stream's clock, and when it takes a step
    ``decisions``      one decision, one line of the record

Two streams in one montage
    ``coverage``       which channels a stream has, and which two streams have all
    ``partners``       which two on the network are meant
    ``pair_source``    two live streams as one source
    ``pairer``         which samples of the two belong together, and what becomes of the others
    ``judged``         one of the two while it waits for the other
    ``alignment``      where the grid of one lies on the other's, by their clocks
    ``pair_record``    both in one order of recording
    ``pairing``        what was recorded of both, read back as one recording

What is kept
    ``identity``       names of patients, beds and sessions
    ``durable``        files that survive a crash and a full disk
    ``strict_json``    JSON without what is no number
    ``fields``         a JSON object read key by key, type by type
    ``plain_file``     a file, and no pipe or device in its place
    ``parts``          raw samples and stamps of one life of the bridge
    ``decision_log``   every decision, synced before it is obeyed
    ``session``        the session folder: the record; ``session_info`` is what is known when it begins
    ``tape``           samples and decisions of a recording or a folder, in order
    ``excerpt``        a part of a recording, as the session that it would have been
    ``rounds``         a recording again and again, as one session

What is made of it
    ``reel``           a tape that can look ahead
    ``segment``        what the decisions say about the samples that come next
    ``conditioning``   bad samples held, then filtered
    ``passband``       what the filters let through, and their delay, as the screen says it
    ``hum``            mains of the other frequency, which the filters let through
    ``quality``        which tenths of a second of which channel can be believed
    ``artifact``       blinks and pops in the EEG, scaled down by a stage that is frozen once
    ``phases``         which part of the exercise each sample belongs to
    ``windowing``      windows, counted off a segment
    ``ledger``         where every sample went
    ``chain``          all of these as one: decisions and samples in, windows out

What is told beside the score
    ``measures``       rhythms, onsets, coherence and co-contraction of a recorded session; no part of the score

What asks the patient, and what stands in for one
    ``paradigm``       the exercise and its markers
    ``cues``           the exercise under way: what is shown, which marker is due
    ``cue_desk``       the same in real time, with its markers sent
    ``simulator``      a simulated patient doing it
    ``outlet``         streams that we offer ourselves
    ``player``         a recording or a patient, played in real time

``errors`` is the tree that every error of Flexion belongs to.
"""
