"""What is drawn on a canvas of a page, counted in the browser."""


def inked(canvas: str) -> str:
    """Return the script that counts how many columns of a canvas, by its selector, carry ink of an EEG trace."""
    return f"""() => {{
        const sweep = document.querySelector("{canvas}");
        const pixels = sweep.getContext("2d").getImageData(0, 0, sweep.width, sweep.height).data;
        const columns = new Set();
        for (let i = 0; i < pixels.length; i += 4)
            if (pixels[i] < 200 && pixels[i + 2] - pixels[i + 1] > 30) columns.add((i / 4) % sweep.width);
        return columns.size;
    }}"""


#: The same of the bed's sweep, and of the first card of the ward.
INKED, CARD_INKED = inked("#sweep"), inked(".card-sweep")
