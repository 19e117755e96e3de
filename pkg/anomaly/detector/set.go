package detector

import "slices"

// all are the detectors there are, in the order in which they are reported.
var all = []Detector{
	ZScore{}, EWMA{}, Median{}, ESD{}, CUSUM{}, SPOT{}, Polynomial{}, Variation{}, Recent{}, PCA{}, Frozen{}, Forest{}, Spectral{},
}

// Defaults are the names of the detectors that judge where none are named.
func Defaults() []string {
	return []string{ZScore{}.Name(), EWMA{}.Name(), Median{}.Name(), CUSUM{}.Name(), SPOT{}.Name(), Polynomial{}.Name(), Variation{}.Name(), Recent{}.Name(), PCA{}.Name(), Frozen{}.Name()}
}

// Names of all detectors.
func Names() []string {
	var names []string
	for _, d := range all {
		names = append(names, d.Name())
	}
	return names
}

// Named finds a detector.
func Named(name string) (Detector, bool) {
	i := slices.IndexFunc(all, func(d Detector) bool { return d.Name() == name })
	if i < 0 {
		return nil, false
	}
	return all[i], true
}
